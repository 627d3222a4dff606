#pragma once
// As many numbers at a time as a register of the processor holds, in the compiler's own vectors.
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include <cstdint>
#include <cstring>

namespace winnow {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));
using IntLanes = int32_t __attribute__((vector_size(kLanes * sizeof(int32_t))));

inline Lanes load(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

inline void store(float* to, Lanes lanes) { std::memcpy(to, &lanes, sizeof lanes); }

/** The first `count` numbers (none if negative, all if there are more), with zeros behind them. */
inline Lanes loadFirst(const float* from, int64_t count) {
  if (count >= kLanes) return load(from);
#ifdef __AVX512F__
  return count <= 0 ? Lanes{} : (Lanes)_mm512_maskz_loadu_ps((1u << count) - 1, from);
#else
  Lanes lanes{};
  for (int64_t i = 0; i < count; i++) lanes[i] = from[i];
  return lanes;
#endif
}

inline void storeFirst(float* to, Lanes lanes, int64_t count) {
  if (count >= kLanes) return store(to, lanes);
#ifdef __AVX512F__
  if (count > 0) _mm512_mask_storeu_ps(to, (1u << count) - 1, (__m512)lanes);
#else
  for (int64_t i = 0; i < count; i++) to[i] = lanes[i];
#endif
}

inline Lanes broadcast(float value) { return value - Lanes{}; }

/** All bits set in the first `count` lanes. */
inline IntLanes firstLanes(int64_t count) {
  constexpr int32_t kIndices[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  IntLanes index;
  std::memcpy(&index, kIndices, sizeof index);
  return index < static_cast<int32_t>(count < kLanes ? count : kLanes);
}

inline Lanes larger(Lanes a, Lanes b) {
#ifdef __AVX512F__
  return (Lanes)_mm512_max_ps((__m512)a, (__m512)b);
#else
  return a > b ? a : b;
#endif
}
inline Lanes smaller(Lanes a, Lanes b) {
#ifdef __AVX512F__
  return (Lanes)_mm512_min_ps((__m512)a, (__m512)b);
#else
  return a < b ? a : b;
#endif
}

inline float sumOf(Lanes lanes) {
#ifdef __AVX512F__
  return _mm512_reduce_add_ps((__m512)lanes);  // the same sums in the same order
#else
  float sums[kLanes];
  store(sums, lanes);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) sums[i] += sums[i + width];
  return sums[0];
#endif
}

inline float largestOf(Lanes lanes) {
#ifdef __AVX512F__
  return _mm512_reduce_max_ps((__m512)lanes);
#else
  float values[kLanes];
  store(values, lanes);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) values[i] = values[i] > values[i + width] ? values[i] : values[i + width];
  return values[0];
#endif
}

/** eˣ to 2 units in the last place: 2ⁿ·eʳ with |r| ≤ ln 2 / 2; 0 below −87, and e⁸⁸ above 88. */
inline Lanes exponential(Lanes x) {
  const IntLanes vanishes = x < -87.0f;
  x = x > 88.0f ? broadcast(88.0f) : x;
  x = vanishes ? broadcast(-87.0f) : x;
  constexpr float kRounder = 12582912.0f;  // 1.5·2²³: adding it leaves no bits behind the point
  const Lanes shifted = x * 1.44269504f + kRounder;
  const Lanes n = shifted - kRounder;
  const Lanes r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Lanes series = broadcast(1.9875691500e-4f);
  series = series * r + 1.3981999507e-3f;
  series = series * r + 8.3334519073e-3f;
  series = series * r + 4.1665795894e-2f;
  series = series * r + 1.6666665459e-1f;
  series = series * r + 5.0000001201e-1f;
  series = series * r * r + r + 1.0f;
  IntLanes bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  const IntLanes exponent = (bits << 23) + (127 << 23);
  Lanes power;
  std::memcpy(&power, &exponent, sizeof power);
  const Lanes result = series * power;
  return vanishes ? Lanes{} : result;
}

/** An activation and its slope at the same place. */
struct Activated {
  Lanes value, slope;
};

/** eˣ for results that are rounded to bf16: error below 3e-6 of the result, 0 where it vanishes. */
#ifdef __AVX512F__
inline Lanes roughExponential(Lanes x) {
  const __m512 power = (__m512)(x * 1.44269504f);
  const __m512 whole = _mm512_roundscale_ps(power, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const Lanes part = (Lanes)power - (Lanes)whole;
  Lanes series = part * 0.009570096619427204f + 0.05591785907745361f;
  series = series * part + 0.240247443318367f;
  series = series * part + 0.6931217908859253f;
  series = series * part + 0.9999992847442627f;
  return (Lanes)_mm512_scalef_ps((__m512)series, whole);
}
#else
inline Lanes roughExponential(Lanes x) { return exponential(x); }
#endif

/** c[0] + c[1]·u + … */
template <int count>
inline Lanes polynomial(const float (&c)[count], Lanes u) {
  Lanes sum = broadcast(c[count - 1]);
  for (int i = count - 2; i >= 0; i--) sum = sum * u + c[i];
  return sum;
}

/** x·Φ(x), with Φ from Abramowitz & Stegun 7.1.26 (error below 1e-7), whose e^(−x²/2) is also the slope's density. */
struct Gelu {
  static Activated at(Lanes x) {
    const Lanes magnitude = x < 0.0f ? -x : x;
    const Lanes t = 1.0f / (1.0f + magnitude * (0.3275911f * 0.70710678f));
    Lanes series = t * 1.061405429f - 1.453152027f;
    series = series * t + 1.421413741f;
    series = series * t - 0.284496736f;
    series = series * t + 0.254829592f;
    const Lanes bell = exponential(x * x * -0.5f);
    const Lanes tail = series * t * bell * 0.5f;  // Φ(−|x|)
    const Lanes cdf = x < 0.0f ? tail : 1.0f - tail;
    return {x * cdf, cdf + x * bell * 0.39894228f};
  }

  /**
   * For results that are rounded to bf16: Φ(x) and the slope, less ½, as x times a polynomial in x², as far as |x| = 4.25.
   * Errors are below 5e-5, of the slope below 2e-4.
   */
  static Activated roughlyAt(Lanes x) {
    constexpr float kEnd = 4.25f;
    constexpr float kCdf[] = {0.16593538f, -0.08076151f, 0.05570096f,  -0.03935108f, 0.02559231f,
                              -0.01410981f, 0.00858318f, -0.00640549f, 0.00246261f};
    constexpr float kSlope[] = {0.17030726f,  -0.10046005f, 0.09971894f,  -0.10628648f, 0.10510279f,
                                -0.08310447f, 0.04864166f, -0.03648861f, 0.03395075f,  -0.01369536f};
    const Lanes near = smaller(broadcast(kEnd), larger(broadcast(-kEnd), x));  // what is no number stays none
    const Lanes u = near * near * (2 / (kEnd * kEnd)) - 1.0f;
    const Lanes cdf = near * polynomial(kCdf, u) + 0.5f;
    return {x < -kEnd ? Lanes{} : x * cdf, near * polynomial(kSlope, u) + 0.5f};
  }
};

/** x·½(1 + tanh u) = x·σ(2u), with u = √(2/π)·(x + 0.044715·x³). */
struct GeluTanh {
  static Activated at(Lanes x) {
    constexpr float kSlope = 1.59576912f, kCube = 0.0713548163f;  // 2√(2/π), and 0.044715 of it
    // Beyond ±20 the gate is shut or open to the last bit, and the square of the largest numbers would be infinite.
    const Lanes product = x * x;
    const Lanes square = product > 400.0f ? broadcast(400.0f) : product;
    const Lanes gate = 1.0f / (1.0f + exponential(-x * (kSlope + kCube * square)));
    return {x * gate, gate * (1.0f + x * (kSlope + 3.0f * kCube * square) * (1.0f - gate))};
  }
  static Activated roughlyAt(Lanes x) { return at(x); }
};

/** x·σ(1.702·x) */
struct QuickGelu {
  static Activated at(Lanes x) {
    const Lanes gate = 1.0f / (1.0f + exponential(x * -1.702f));
    return {x * gate, gate * (1.0f + x * 1.702f * (1.0f - gate))};
  }
  static Activated roughlyAt(Lanes x) { return at(x); }
};

}  // namespace winnow
