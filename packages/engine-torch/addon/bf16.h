#pragma once
// bf16 in memory: what products are made of and what the backward pass finds, where the processor converts it.
#include "lanes.h"

namespace winnow {

// Where numbers lie as float32, they are loaded and stored as they are.
inline Lanes loadNumbers(const float* from) { return load(from); }
inline void storeNumbers(float* to, Lanes lanes) { store(to, lanes); }
inline Lanes loadFirstNumbers(const float* from, int64_t count) { return loadFirst(from, count); }
inline void storeFirstNumbers(float* to, Lanes lanes, int64_t count) { storeFirst(to, lanes, count); }

#if defined(__AVX512BF16__)
using Bf16 = uint16_t;

namespace planes {

inline __m512 widened(__m256i bf16) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bf16), 16));
}

}  // namespace planes

inline Lanes loadNumbers(const Bf16* from) {
  return (Lanes)planes::widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
inline void storeNumbers(Bf16* to, Lanes lanes) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh((__m512)lanes));
}

inline __mmask16 firstMask(int64_t count) { return count >= kLanes ? 0xffff : count <= 0 ? 0 : (1u << count) - 1; }
inline Lanes loadFirstNumbers(const Bf16* from, int64_t count) {
  return (Lanes)planes::widened(_mm256_maskz_loadu_epi16(firstMask(count), from));
}
inline void storeFirstNumbers(Bf16* to, Lanes lanes, int64_t count) {
  _mm256_mask_storeu_epi16(to, firstMask(count), (__m256i)_mm512_cvtneps_pbh((__m512)lanes));
}
#endif

}  // namespace winnow
