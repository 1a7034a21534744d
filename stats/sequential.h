/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sequential comparison that may be looked at after every pair (anytime valid): the mixture
 * sequential probability ratio test (Robbins 1970; Johari, Pekelis and Walsh 2022). Pure. */
#ifndef STATS_SEQUENTIAL_H
#define STATS_SEQUENTIAL_H

#include <stddef.h>
#include "stats/compare.h"

struct sequential {
	double variance;   /* V of one paired log ratio, from history, not from these pairs */
	double tau;	   /* smallest effect of interest, as a log ratio */
	double alpha;	   /* of the whole sequence */
	double min_effect; /* relative */
	enum compare_better better;
	size_t n; /* pairs so far */
	double sum;
	double p; /* min over looks of min(1, 1/L_n) */
};

struct sequential_look {
	double likelihood; /* L_n = sqrt(V/(V+n tau^2)) exp(n^2 tau^2 d^2/(2V(V+n tau^2))) */
	double p;
	double effect, lower, upper;  /* relative; valid at every n at once */
	enum compare_outcome outcome; /* unknown: take more pairs */
};

/* variance and tau > 0, 0 < alpha < 1 (asserted). */
void sequential_init(struct sequential *s, double variance, double tau, double alpha,
	double min_effect, enum compare_better better);
/* Add ln(head/base) of one pair and look. Stops with `slower` or `faster` when the interval
 * leaves 0 and the effect exceeds min_effect, with `same` when it lies inside +-min_effect. */
struct sequential_look sequential_add(struct sequential *s, double log_ratio);
/* Half-width of the interval of the mean log ratio after n pairs. */
double sequential_half_width(double variance, double tau, double alpha, size_t n);

#endif
