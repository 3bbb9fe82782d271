// Dropout masks by a counter-based generator: Philox 2x32-10 (Salmon et al., SC 2011), keyed by the seed, with edge and
// head as the counter.
#pragma once
#include "vectors.h"

struct Dropout {
  uint32_t key, salt;
  uint64_t below;  // a draw of 32 bits below this drops
  double scale;    // 1 / (1 - p)

  Dropout(double p, uint64_t seed)
      : key(uint32_t(seed)), salt(uint32_t(seed >> 32)), below(uint64_t(p * 4294967296.0)),
        scale(p < 1 ? 1 / (1 - p) : 0) {}

  // Dropout factors of `count` shares of one head: 0 or 1 / (1 - p), the same for an edge in every pass and thread.
  // `edge` and `out` hold whole vectors. Words of 32 bits lie in lanes of 64 bits, so that their products fit.
  template <class T>
  INLINE void factors(const int64_t* edge, int64_t head, int count, T* out) const {
    constexpr int L = kVectorBytes / 8;
    typedef uint64_t Words __attribute__((vector_size(kVectorBytes)));
    typedef int32_t Whole __attribute__((vector_size(4 * L)));
    typedef T Numbers __attribute__((vector_size(sizeof(T) * L)));
    const Words word = Words{} + 0xFFFFFFFFu, multiplier = Words{} + 0xD256D193u;
    for (int start = 0; start < count; start += L) {
      Words a;
      std::memcpy(&a, edge + start, sizeof a);
      Words b = ((a >> 32) * 0x85EBCA6Bu & word) ^ uint64_t((uint32_t(head) * 0x9E3779B9u) ^ salt);
      a &= word;
      uint32_t k = key;
#pragma GCC unroll 10
      for (int round = 0; round < 10; ++round, k += 0x9E3779B9u) {
        const Words product = (a & word) * multiplier;
        a = (product >> 32) ^ uint64_t(k) ^ b;
        b = product & word;
      }
      const auto kept = __builtin_convertvector((a >= below) & Words(Words{} + 1), Whole);
      const auto factor = __builtin_convertvector(kept, Numbers) * T(scale);
      std::memcpy(out + start, &factor, sizeof factor);
    }
  }
};
