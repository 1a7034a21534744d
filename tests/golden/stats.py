#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes tests/golden/stats-*.txt: results computed independently of stats/.

Needs Python 3 with mpmath; run by hand when a definition changes, never by `make check`:
    python3 tests/golden/stats.py tests/golden

Inputs are not stored: both sides make them from a seed with splitmix64 and plain double
arithmetic (see `sample` here and in tests/unit/golden.c). Bencher's arithmetic tests are
computed in doubles in Bencher's order, so that equality of bits can be asked for; everything
with a quantile in it comes from mpmath with 40 digits. Detectors are written straight from
their definitions, without any of the shortcuts of the C code.
"""
import math
import sys
from fractions import Fraction
from functools import lru_cache

import mpmath as mp

mp.mp.dps = 40
MASK = (1 << 64) - 1


class Rng:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def uniform(self):
        return (self.next() >> 11) * 2.0**-53


KINDS = 7


def sample(kind, n, seed):
    """Kinds: 0 plain, 1 steps, 2 steps and rounded (ties), 3 heavy tails, 4 both signs,
    5 with zeros, 6 huge, 7 many small steps, 8 the same rounded."""
    r = Rng(seed)
    x = []
    for i in range(n):
        u = r.uniform() + r.uniform() + r.uniform() + r.uniform() - 2.0
        v = r.uniform()
        level = 100.0
        if kind in (1, 2) and i >= n // 3:
            level = 103.0
        if kind in (1, 2) and i >= n - n // 4:
            level = 98.0
        if kind in (7, 8):
            level = 100.0 + [0.0, 1.5, 0.5, 2.0, -1.0, 1.0][i * 6 // n]
        y = level + 1.5 * u
        if kind == 2:
            y = math.floor(y)
        if kind == 8:
            y = math.floor(y * 2.0) / 2.0
        if kind == 3:
            y = level + u / (v + 0.02)
        if kind == 4:
            y = u * 3.0 + 0.5
        if kind == 5:
            y = math.floor(v * 4.0)
        if kind == 6:
            y = (level + u) * 1e200
        x.append(y)
    return x


# --- thresholds ---------------------------------------------------------------------------


def mean(h):
    s = 0.0
    for x in h:
        s += x
    return s / float(len(h))


def t_quantile(p, nu):
    p = mp.mpf(p)
    if p == mp.mpf("0.5"):
        return mp.mpf(0)
    upper = 1 - p

    def tail(t):
        return mp.betainc(mp.mpf(nu) / 2, mp.mpf(1) / 2, 0, nu / (nu + t * t), regularized=True) / 2

    lo, hi = mp.mpf(0), mp.mpf(1)
    while tail(hi) > upper:
        hi *= 2
    for _ in range(140):
        mid = (lo + hi) / 2
        if tail(mid) > upper:
            lo = mid
        else:
            hi = mid
    return (lo + hi) / 2


def z_quantile(p):
    return mp.sqrt(2) * mp.erfinv(2 * mp.mpf(p) - 1)


t_quantile = lru_cache(None)(t_quantile)
z_quantile = lru_cache(None)(z_quantile)


def quantile(s, q):
    r = q * float(len(s) - 1)
    i = int(r)
    f = r - float(i)
    if i + 1 >= len(s):
        return s[-1]
    return s[i] if f == 0 else s[i] + (s[i + 1] - s[i]) * f


def quartiles(x):
    if not x or any(math.isnan(v) for v in x):
        return None
    s = sorted(x)
    q = [quantile(s, 0.25), quantile(s, 0.5), quantile(s, 0.75)]
    return q if all(math.isfinite(v) for v in q) else None


def moments(y):
    """Mean and sd with 40 digits."""
    y = [mp.mpf(v) for v in y]
    m = mp.fsum(y) / len(y)
    return m, mp.sqrt(mp.fsum((v - m) ** 2 for v in y) / (len(y) - 1))


def spread(y):
    """sd in doubles, as the tests themselves compute it: it may be 0 or overflow."""
    m = mean(y)
    s = 0.0
    for v in y:
        s += (v - m) * (v - m)
    return math.sqrt(s / float(len(y) - 1))


def divide(a, b):
    if b == 0:
        return math.nan if a == 0 else math.inf
    return a / b


def threshold(test, h, b):
    """[baseline, lower, upper] or None."""
    n = len(h)
    if n == 0:
        return None
    if test == "percentage":
        m = mean(h)
        return [m, m - m * b, m + m * b] if math.isfinite(m) else None
    if test in ("z_score", "t_test"):
        if n < 2 or not 0 < spread(h) < math.inf:
            return None
        m, s = moments(h)
        if test == "z_score":
            half = s * z_quantile(b)
        else:
            half = s * mp.sqrt(1 + mp.mpf(1) / n) * t_quantile(b, n - 1)
        return [m, m - half, m + half]
    if test == "log_normal":
        if n < 2 or any(x <= 0 for x in h) or spread([math.log(x) for x in h]) == 0:
            return None
        m, s = moments([mp.log(mp.mpf(x)) for x in h])
        q = mp.exp(m + s * z_quantile(b))
        return [mp.exp(m), 2 * mp.exp(m) - q, q]
    if test == "iqr":
        q = quartiles(h)
        return [q[1], q[1] - (q[2] - q[0]) * b, q[1] + (q[2] - q[0]) * b] if q else None
    if test == "delta_iqr":
        q = quartiles(h)
        if n < 2 or not q:
            return None
        d = quartiles([abs(divide(h[i + 1] - h[i], h[i])) for i in range(n - 1)])
        if not d:
            return None
        return [q[1], q[1] - q[1] * ((d[2] - d[0]) * b), q[1] + q[1] * ((d[2] - d[0]) * b)]
    if test == "log_t":
        if n < 2 or len(set(h)) == 1:
            return None
        raw = any(x <= 0 for x in h)
        if raw and not 0 < spread(h) < math.inf:
            return None
        m, s = moments(h if raw else [mp.log(mp.mpf(x)) for x in h])
        half = t_quantile(1 - mp.mpf(b), n - 1) * s * mp.sqrt(1 + mp.mpf(1) / n)
        return [m, m - half, m + half] if raw else [mp.exp(m), mp.exp(m - half), mp.exp(m + half)]
    raise KeyError(test)


def text(v):
    return repr(float(v)) if not isinstance(v, mp.mpf) else mp.nstr(v, 17, strip_zeros=False)


def thresholds(out):
    tests = ["percentage", "z_score", "t_test", "log_normal", "iqr", "delta_iqr", "log_t"]
    quantiles = [0.5, 0.75, 0.9, 0.95, 0.977, 0.98, 0.99, 0.995, 0.999, 0.99999]
    factors = [0.0, 0.05, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 10.0]
    alphas = [0.05, 0.025, 0.01, 0.001]
    r = Rng(20240601)
    for i in range(1600):
        test = tests[i % len(tests)]
        kind = (i // len(tests)) % KINDS
        n = [0, 1, 2, 3, 5][r.next() % 5] if i % 6 == 0 else 2 + r.next() % 63
        seed = r.next() >> 12
        choice = quantiles if test in ("z_score", "t_test", "log_normal") else factors
        choice = alphas if test == "log_t" else choice
        b = choice[r.next() % len(choice)]
        h = sample(kind, n, seed)
        got = threshold(test, h, b)
        got = " ".join(text(v) for v in got) if got else "none"
        out.write(f"{test} {kind} {n} {seed} {b!r} {got}\n")


# --- rank tests ---------------------------------------------------------------------------


@lru_cache(None)
def u_counts(a, b):
    """Counts of U by exact integers: additions only."""
    # c[k][s]: subsets of k of the numbers 1..a+b with rank sum s + k(k+1)/2
    c = [[0] * (a * b + 1) for _ in range(a + 1)]
    c[0][0] = 1
    for item in range(1, a + b + 1):
        for k in range(min(a, item), 0, -1):
            shift = item - k  # what this item adds beyond the least possible
            if shift > a * b:
                continue
            for s in range(a * b, shift - 1, -1):
                c[k][s] += c[k - 1][s - shift]
    return c[a]


@lru_cache(None)
def u_tail(a, b, u):
    """P(U <= u), exactly."""
    return Fraction(sum(u_counts(min(a, b), max(a, b))[: u + 1]), math.comb(a + b, a))


def midranks(x):
    order = sorted(range(len(x)), key=lambda i: x[i])
    rank = [Fraction(0)] * len(x)
    ties = 0
    i = 0
    while i < len(x):
        j = i
        while j < len(x) and x[order[j]] == x[order[i]]:
            j += 1
        for k in range(i, j):
            rank[order[k]] = Fraction(i + 1 + j, 2)
        ties += (j - i) ** 3 - (j - i)
        i = j
    return rank, ties


def normal_p(z):
    return min(mp.mpf(1), mp.erfc(z / mp.sqrt(2)))


def mw_p(x, y, small=60):
    """Two-sided p; exact when nothing is tied and the sizes are covered."""
    a, b = len(x), len(y)
    rank, ties = midranks(x + y)
    u = sum(rank[:a]) - Fraction(a * (a + 1), 2)
    u = min(u, a * b - u)
    if ties == 0 and (min(a, b) <= 12 or max(a, b) <= small):
        return mp.mpf(min(Fraction(1), 2 * u_tail(a, b, int(u))).numerator) / mp.mpf(
            min(Fraction(1), 2 * u_tail(a, b, int(u))).denominator
        )
    n = a + b
    var = Fraction(a * b, 12) * ((n + 1) - Fraction(ties, n * (n - 1)))
    if var == 0:
        return mp.mpf(1)
    z = (mp.mpf(a * b) / 2 - mp.mpf(u.numerator) / u.denominator - mp.mpf("0.5")) / mp.sqrt(
        mp.mpf(var.numerator) / var.denominator
    )
    return mp.mpf(1) if z <= 0 else normal_p(z)


def signed_rank_p(d):
    d = [v for v in d if v != 0]
    n = len(d)
    if n == 0:
        return mp.mpf(1)
    rank, ties = midranks([abs(v) for v in d])
    plus = sum(r for r, v in zip(rank, d) if v > 0)
    w = min(plus, Fraction(n * (n + 1), 2) - plus)
    if ties == 0 or n <= 20:
        counts = {0: 1}
        for r in rank:
            new = dict(counts)
            for s, c in counts.items():
                new[s + r] = new.get(s + r, 0) + c
            counts = new
        p = min(Fraction(1), Fraction(2 * sum(c for s, c in counts.items() if s <= w), 2**n))
        return mp.mpf(p.numerator) / p.denominator
    var = mp.mpf(n * (n + 1) * (2 * n + 1)) / 24 - mp.mpf(ties) / 48
    z = (mp.mpf(n * (n + 1)) / 4 - mp.mpf(w.numerator) / w.denominator - mp.mpf("0.5")) / mp.sqrt(var)
    return mp.mpf(1) if z <= 0 else normal_p(z)


def ranks(out):
    r = Rng(77)
    for i in range(300):
        kind = [0, 2, 3, 5, 4][i % 5]
        a, b, seed = 1 + r.next() % 20, 1 + r.next() % 40, r.next() >> 12
        x = sample(kind, a + b, seed)
        out.write(f"mann_whitney {kind} {a} {b} {seed} {text(mw_p(x[:a], x[a:]))}\n")
    for i in range(200):
        kind = [4, 5, 4][i % 3]
        n, seed = 1 + r.next() % 45, r.next() >> 12
        d = [v - (1.0 if kind == 5 else 0.0) for v in sample(kind, n, seed)]
        out.write(f"signed_rank {kind} {n} 0 {seed} {text(signed_rank_p(d))}\n")


# --- detectors ----------------------------------------------------------------------------


def best_split(x, lo, hi, m):
    """(v, first t) of the largest v = -log10 p in [lo, hi)."""
    y = x[lo:hi]
    n = len(y)
    if n < 2 * m:
        return None
    rank, ties = midranks(y)
    rank = [int(2 * v) for v in rank]
    best, total = None, 0
    for a in range(1, n):
        total += rank[a - 1]
        b = n - a
        if a < m or b < m:
            continue
        u2 = total - a * (a + 1)
        u2 = min(u2, 2 * a * b - u2)
        if ties == 0 and min(a, b) <= 12:
            p = 2 * u_tail(min(a, b), max(a, b), u2 // 2)
            v = -math.log10(p) if p < 1 else 0.0
        else:
            var = a * b / 12 * ((n + 1) - ties / (n * (n - 1)))
            z = (a * b / 2 - u2 / 2 - 0.5) / math.sqrt(var) if var > 0 else 0.0
            if z > 8:  # the definition's asymptotic form
                v = z * z / (2 * math.log(10)) + math.log10(z * math.sqrt(2 * math.pi)) - math.log10(2)
            else:
                v = -math.log10(min(1.0, math.erfc(z / math.sqrt(2))))
        if best is None or v > best[0]:
            best = (v, lo + a)
    return best


def seeded_mw(x, alpha=0.05, m=3):
    n = len(x)
    if n < 2 * m:
        return []
    theta = -math.log10(alpha / (2 * n))
    intervals = [(0, n)]
    k = 1
    while n * 2 ** (-k / 2) >= 2 * m:
        l = n * 2 ** (-k / 2) if k % 2 else float(Fraction(n, 2 ** (k // 2)))
        size = 2 * math.ceil(2 ** (k / 2) if k % 2 else 2 ** (k // 2)) - 1
        g = (n - l) / (size - 1)
        for i in range(size):
            intervals.append((math.floor(i * g), min(n, math.ceil(i * g + l))))
        k += 1
    scored = [(b - a, -s[0], i, a, b, s) for i, (a, b) in enumerate(intervals)
              if (s := best_split(x, a, b, m)) and s[0] >= theta]
    scored.sort()
    found = []

    def rec(lo, hi):
        s = next((s for _, _, _, a, b, s in scored if a >= lo and b <= hi), None)
        s = s or best_split(x, lo, hi, m)
        if s and s[0] >= theta:
            found.append(s[1])
            rec(lo, s[1])
            rec(s[1], hi)

    rec(0, n)
    found.sort()
    for _ in range(20):
        moved, i = False, 0
        while i < len(found):
            lo = found[i - 1] if i else 0
            hi = found[i + 1] if i + 1 < len(found) else n
            s = best_split(x, lo, hi, m)
            if not s or s[0] < theta:
                del found[i]
                i = 0
                continue
            moved |= s[1] != found[i]
            found[i] = s[1]
            i += 1
        if not moved:
            break
    return found


def standardised(x):
    m = math.fsum(x) / len(x)
    sd = math.sqrt(math.fsum((v - m) ** 2 for v in x) / (len(x) - 1))
    return [(v - m) / (sd if sd > 0 else 1) for v in x]


def partition(n, q, beta, cost):
    if n < 2 * q:
        return []
    f, back = {0: -beta}, {}
    for t in range(q, n + 1):
        best = None
        for s in [0] + list(range(q, t - q + 1)):
            if t - s < q:
                continue
            v = f[s] + cost(s, t) + beta
            if best is None or v < best - 1e-12:
                best, back[t] = v, s
        f[t] = best
    found, t = [], n
    while back[t] > 0:
        t = back[t]
        found.append(t)
    return found[::-1]


def sse(y):
    m = math.fsum(y) / len(y)
    return math.fsum((v - m) ** 2 for v in y)


def line_sse(y):
    n = len(y)
    mt, my = (n - 1) / 2, math.fsum(y) / n
    sxx = math.fsum((i - mt) ** 2 for i in range(n))
    slope = math.fsum((i - mt) * (v - my) for i, v in enumerate(y)) / sxx
    return math.fsum((v - my - slope * (i - mt)) ** 2 for i, v in enumerate(y))


def pelt_mbic(x):
    y, n = standardised(x), len(x)
    return partition(n, 2, 3 * math.log(n), lambda s, t: sse(y[s:t]) + math.log(t - s))


def pelt_trend(x):
    y, n = standardised(x), len(x)
    return partition(n, 3, 3 * math.log(n),
                     lambda s, t: min(sse(y[s:t]), line_sse(y[s:t]) + math.log(n)))


def median(x):
    s = sorted(x)
    n = len(s)
    return s[n // 2] if n % 2 else (s[n // 2 - 1] + s[n // 2]) / 2


def potts_l1(x):
    n = len(x)
    d = [x[i + 1] - x[i] for i in range(n - 1)]
    md = median(d)
    s = 1.4826 * median([abs(v - md) for v in d]) / math.sqrt(2)
    if s == 0:
        s = math.sqrt(sse(x) / n) or 1

    def cost(a, b):
        m = median(x[a:b])
        return math.fsum(abs(v - m) for v in x[a:b])

    return partition(n, 3, 3 * s * math.log(n), cost)


def student_p(x, y):
    a, b = len(x), len(y)
    m1, m2 = math.fsum(x) / a, math.fsum(y) / b
    big = max(abs(m2 / m1 - 1), abs(m1 / m2 - 1))
    if a + b <= 2:
        return 1.0, big
    v1, v2 = sse(x) / a, sse(y) / b
    if v1 == 0 and v2 == 0:
        return (1.0 if m1 == m2 else 0.0), big
    df = a + b - 2
    t = (m1 - m2) / math.sqrt(((a - 1) * v1 + (b - 1) * v2) / df * (1 / a + 1 / b))
    return float(mp.betainc(mp.mpf(df) / 2, mp.mpf(1) / 2, 0, df / (df + mp.mpf(t) ** 2), regularized=True)), big


def e_divisive(x, w=50, p=0.001, least=0.0):
    n = len(x)
    p1 = 10 * p if p < 0.05 else 2 * p if p < 0.5 else p
    weak = set()
    start = 0
    while start < n:
        y = x[start:start + w]
        dist = [[abs(u - v) for v in y] for u in y]
        cuts = []
        while True:
            best = (-math.inf, None)
            edges = [0] + cuts + [len(y)]
            for s, e in zip(edges, edges[1:]):
                for tau in range(s + 1, e):
                    a = tau - s
                    inner = sum(dist[i][k] for i in range(s, tau) for k in range(i + 1, tau))
                    across = within = 0.0
                    for kappa in range(tau + 1, e + 1):
                        b = kappa - tau
                        across += sum(dist[i][kappa - 1] for i in range(s, tau))
                        within += sum(dist[j][kappa - 1] for j in range(tau, kappa - 1))
                        q = 2 / (a + b) * across
                        q -= 2 * b / ((a + b) * (a - 1)) * inner if a > 1 else 0
                        q -= 2 * a / ((a + b) * (b - 1)) * within if b > 1 else 0
                        if q > best[0] + 1e-12:
                            best = (q, (s, tau, e))
            if best[1] is None:
                break
            s, tau, e = best[1]
            if student_p(y[s:tau], y[tau:e])[0] > p1:
                break
            cuts = sorted(cuts + [tau])
        weak |= {start + c for c in cuts}
        start = max(start + cuts[-1] if cuts else 0, start + w // 2)
    found = sorted(weak)

    def stats(i):
        lo = found[i - 1] if i else 0
        hi = found[i + 1] if i + 1 < len(found) else n
        return student_p(x[lo:found[i]], x[found[i]:hi])

    state = [stats(i) for i in range(len(found))]
    while found:
        i = max(range(len(found)), key=lambda i: state[i][0])
        if state[i][0] < p:
            i = min(range(len(found)), key=lambda i: state[i][1])
            if state[i][1] > least:
                break
        del found[i], state[i]
        for k in (i, i + 1):  # Otava's choice
            if k < len(found):
                state[k] = stats(k)
    return found


def scores(x, found):
    """-log10 p of each change point between its neighbours."""
    edges = [0] + found + [len(x)]
    return [best_split(x, lo, hi, 3)[0] for lo, hi in zip(edges, edges[2:])]


def detectors(out):
    r = Rng(4711)
    for seed in (32, 33, 38, 46):  # here it matters which neighbours a merge restates
        out.write(f"e_divisive 7 120 {seed} {','.join(map(str, e_divisive(sample(7, 120, seed))))}\n")
    for name, f, count, longest in (("seeded_mw", seeded_mw, 200, 160), ("pelt_mbic", pelt_mbic, 40, 70),
                                    ("pelt_trend", pelt_trend, 40, 60), ("potts_l1", potts_l1, 40, 60),
                                    ("e_divisive", e_divisive, 60, 140)):
        for i in range(count):
            kind = [1, 2, 3, 7, 0, 7, 2, 8, 7, 8][i % 10]
            n, seed = 5 + r.next() % (longest - 4), r.next() >> 12
            x = sample(kind, n, seed)
            found = f(x)
            v = scores(x, found) if name == "seeded_mw" else []
            out.write(f"{name} {kind} {n} {seed} {','.join(map(str, found)) or '-'}"
                      f"{''.join(f' {s!r}' for s in v)}\n")


if __name__ == "__main__":
    folder = sys.argv[1]
    for name, make in (("thresholds", thresholds), ("ranks", ranks), ("detectors", detectors)):
        with open(f"{folder}/stats-{name}.txt", "w") as out:
            make(out)
