// Dropout masks from a counter: Philox 2x32-10 (Salmon et al., SC 2011) keyed by the seed, counting edges and heads.
#pragma once
#include "vectors.h"

struct Dropout {
  uint32_t key, salt;
  uint64_t below;  // a draw of 32 bits below this drops
  double scale;    // 1 / (1 - p)

  Dropout(double p, uint64_t seed)
      : key(uint32_t(seed)), salt(uint32_t(seed >> 32)), below(uint64_t(p * 4294967296.0)),
        scale(p < 1 ? 1 / (1 - p) : 0) {}

  // The factors of `count` shares of one head: 0, or 1 / (1 - p). The same for an edge in every pass and thread.
  template <class T, class EdgeId>
  INLINE void factors(EdgeId edge, int64_t head, int count, T* out) const {
    constexpr int L = 16;
    typedef uint32_t Words __attribute__((vector_size(4 * L)));
    typedef uint64_t Products __attribute__((vector_size(8 * L)));
    for (int start = 0; start < count; start += L) {
      Words a, b;
      for (int l = 0; l < L; ++l) {
        const uint64_t id = uint64_t(edge(start + l < count ? start + l : count - 1));
        a[l] = uint32_t(id);
        b[l] = (uint32_t(id >> 32) * 0x85EBCA6Bu) ^ (uint32_t(head) * 0x9E3779B9u) ^ salt;
      }
      uint32_t k = key;
      for (int round = 0; round < 10; ++round, k += 0x9E3779B9u) {
        const Products product = __builtin_convertvector(a, Products) * uint64_t(0xD256D193u);
        const Words high = __builtin_convertvector(product >> 32, Words);
        const Words low = __builtin_convertvector(product, Words);
        a = high ^ k ^ b;
        b = low;
      }
      for (int l = 0; l < L && start + l < count; ++l) out[start + l] = a[l] < below ? T(0) : T(scale);
    }
  }
};
