/* SPDX-License-Identifier: GPL-3.0-or-later */
/* exp, log, atan, erfc for REAL float or double (with F64 defined). GLSL has none of them for
 * double, and Vulkan allows its own float ones errors of many ulp. Constants are written as
 * doubles and rounded once. exp and log as in kernels/simd/math.h; the polynomial of atan
 * interpolates at Chebyshev nodes, erfc is a Chebyshev series in t = 1 / (1 + x / 2) of
 * ln(erfc(x) / t) + x^2; both were computed with 60 digits. */
#define K(x) REAL(x)

#ifdef F64
#define LN2_HI K(0.693147180369123816490lf)
#define LN2_LO K(1.90821492927058770002e-10lf)
#define EXP_LEAST K(-708.0lf)
#define EXP_MOST K(709.0lf)
#else
#define LN2_HI K(0.693145751953125lf)
#define LN2_LO K(1.428606765330187e-06lf)
#define EXP_LEAST K(-87.0lf)
#define EXP_MOST K(88.0lf)
#endif

/* 2^k for normal results. */
REAL power_of_two(int k)
{
#ifdef F64
	return packDouble2x32(uvec2(0u, uint(k + 1023) << 20));
#else
	return uintBitsToFloat(uint(k + 127) << 23);
#endif
}

/* (exp(r) - 1 - r) / r^2 for abs(r) <= ln 2 / 2. */
REAL exp_tail(REAL r)
{
	REAL q;

#ifdef F64
	q = K(2.510038549551032e-08lf);
	q = q * r + K(2.7620088445409746e-07lf);
	q = q * r + K(2.7557268459997064e-06lf);
	q = q * r + K(2.4801521295954376e-05lf);
	q = q * r + K(0.00019841269863053618lf);
	q = q * r + K(0.0013888888917213717lf);
	q = q * r + K(0.008333333333330062lf);
	q = q * r + K(0.04166666666662413lf);
	q = q * r + K(0.16666666666666669lf);
	q = q * r + K(0.50000000000000011lf);
#else
	q = K(0.00139261837lf);
	q = q * r + K(0.00836317893lf);
	q = q * r + K(0.0416665561lf);
	q = q * r + K(0.166665763lf);
	q = q * r + K(0.5lf);
#endif
	return q;
}

REAL real_exp(REAL x)
{
	REAL y = clamp(x, EXP_LEAST, EXP_MOST);
	REAL k = floor(y * K(1.4426950408889634lf) + K(0.5lf));
	REAL r = (y - k * LN2_HI) - k * LN2_LO;

	return (K(1.0lf) + (r * r * exp_tail(r) + r)) * power_of_two(int(k));
}

/* x = 2^k m with sqrt(1/2) <= m < sqrt(2), for positive normal x. */
REAL split(REAL x, out int k)
{
#ifdef F64
	uvec2 bits = unpackDouble2x32(x);
	uint high = bits.y - 0x3fe6a09eu;

	k = int(high) >> 20;
	return packDouble2x32(uvec2(bits.x, bits.y - (uint(k) << 20)));
#else
	uint bits = floatBitsToUint(x);

	k = int(bits - 0x3f3504f3u) >> 23;
	return uintBitsToFloat(bits - (uint(k) << 23));
#endif
}

/* log m = 2 atanh(s), s = (m - 1) / (m + 1); written so that nothing cancels near 1. */
REAL real_log(REAL x)
{
	int exponent;
	REAL m = split(x, exponent), f = m - K(1.0lf), s = f / (f + K(2.0lf)), z = s * s, q;
	REAL k = REAL(exponent);

#ifdef F64
	q = K(0.14619166134887971lf);
	q = q * z + K(0.15331501611145328lf);
	q = q * z + K(0.18182895750119194lf);
	q = q * z + K(0.22222211043776858lf);
	q = q * z + K(0.28571428626533616lf);
	q = q * z + K(0.39999999999898273lf);
	q = q * z + K(0.66666666666666697lf);
#else
	q = K(0.295820236lf);
	q = q * z + K(0.399887348lf);
	q = q * z + K(0.666666852lf);
#endif
	return k * LN2_HI + (f - (s * (f - z * q) - k * LN2_LO));
}

REAL atan_tail(REAL u)
{
	REAL q;

#ifdef F64
	q = K(0.015099884864821964lf);
	q = q * u + K(-0.0333741022428996171lf);
	q = q * u + K(0.044989082467814506lf);
	q = q * u + K(-0.0521716589959529962lf);
	q = q * u + K(0.0587681102612102178lf);
	q = q * u + K(-0.066662028877461991lf);
	q = q * u + K(0.0769228093698426159lf);
	q = q * u + K(-0.0909090805168360596lf);
	q = q * u + K(0.111111110851127506lf);
	q = q * u + K(-0.14285714285326201lf);
	q = q * u + K(0.199999999999969837lf);
	q = q * u + K(-0.333333333333333241lf);
#else
	q = K(-0.0602396317759973644lf);
	q = q * u + K(0.105689207837133326lf);
	q = q * u + K(-0.14239410856830652lf);
	q = q * u + K(0.199981764661083961lf);
	q = q * u + K(-0.333333067711106822lf);
#endif
	return q;
}

/* Reduced to abs(z) <= tan(pi/8) by 1/a and (z - 1)/(z + 1). */
REAL real_atan(REAL x)
{
	REAL a = abs(x), z = a > K(1.0lf) ? K(1.0lf) / a : a, base = K(0.0lf), u;

	if (z > K(0.41421356237309503lf)) {
		z = (z - K(1.0lf)) / (z + K(1.0lf));
		base = K(0.78539816339744831lf);
	}
	u = z * z;
	z = base + (z + z * u * atan_tail(u));
	z = a > K(1.0lf) ? K(1.5707963267948966lf) - z : z;
	return x < K(0.0lf) ? -z : z;
}

#ifdef F64
#define ERFC_TERMS 28
const REAL erfc_series[ERFC_TERMS] = REAL[](K(-1.30265371978170943lf), K(0.64196979235649026lf),
	K(0.0194764732041858363lf), K(-0.00956151478680863164lf), K(-0.000946595344482036866lf),
	K(0.000366839497852761452lf), K(0.0000425233248069077716lf),
	K(-0.0000202785781125342432lf), K(-1.62429000464702551e-6lf), K(1.3036558355805232e-6lf),
	K(1.56264417220661432e-8lf), K(-8.52380959149265425e-8lf), K(6.52905443909885151e-9lf),
	K(5.05934349555146871e-9lf), K(-9.91364156493032305e-10lf),
	K(-2.27365122293184173e-10lf), K(9.64679110201496178e-11lf),
	K(2.39403808306575603e-12lf), K(-6.88602752653627709e-12lf),
	K(8.94487927173036754e-13lf), K(3.13092140812714238e-13lf),
	K(-1.12708225252217324e-13lf), K(3.81087135885289851e-16lf),
	K(7.10612553692257638e-15lf), K(-1.52308789753733038e-15lf),
	K(-9.46487141218446191e-17lf), K(1.218683266906788e-16lf),
	K(-3.0494735135424695e-17lf));
#else
#define ERFC_TERMS 12
const REAL erfc_series[ERFC_TERMS] = REAL[](K(-1.30265371978170639lf), K(0.641969792356483249lf),
	K(0.0194764732041853342lf), K(-0.00956151478669589525lf), K(-0.000946595344795129056lf),
	K(0.000366839496958271196lf), K(0.0000425233316929361427lf),
	K(-0.0000202785805065724lf), K(-1.62438647255810536e-6lf), K(1.30388320070284428e-6lf),
	K(1.66178058785558254e-8lf), K(-9.0297439410479514e-8lf));
#endif

/* Loop turns: ERFC_TERMS. */
REAL real_erfc(REAL x)
{
	REAL a = min(abs(x), K(1e4lf)), t = K(1.0lf) / (K(1.0lf) + K(0.5lf) * a);
	REAL s2 = K(4.0lf) * t - K(2.0lf), b1 = K(0.0lf), b2 = K(0.0lf), y;

	for (int k = ERFC_TERMS - 1; k > 0; k--) {
		REAL b = s2 * b1 - b2 + erfc_series[k];

		b2 = b1;
		b1 = b;
	}
	y = t * real_exp(K(0.5lf) * (s2 * b1 + erfc_series[0]) - b2 - a * a);
	return x < K(0.0lf) ? K(2.0lf) - y : y;
}
