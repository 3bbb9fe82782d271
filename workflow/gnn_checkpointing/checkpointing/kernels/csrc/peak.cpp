// Peak rates of this machine on one thread: multiply-adds from registers, and repeated reads of a buffer.
#include "vectors.h"

constexpr int W = kVectorBytes / 4;
using V = Vector<float, W>;

// 32 multiply-adds per turn in 16 independent sums, enough to hide the latency of the units.
extern "C" double multiply_adds(int64_t turns, float by) {
  V v[16];
  for (int k = 0; k < 16; ++k) v[k] = same<V>(float(k));
  for (int64_t t = 0; t < turns; ++t) {
#pragma GCC unroll 16
    for (int k = 0; k < 16; ++k) v[k] = v[k] * by + by;
#pragma GCC unroll 16
    for (int k = 0; k < 16; ++k) v[k] = v[k] * by + by;
  }
  V total = {};
  for (int k = 0; k < 16; ++k) total += v[k];
  return sum<float, W>(total);
}

extern "C" double read(const float* numbers, int64_t count, int64_t turns) {
  V v[8] = {};
  for (int64_t t = 0; t < turns; ++t)
    for (int64_t at = 0; at + 8 * W <= count; at += 8 * W)
#pragma GCC unroll 8
      for (int k = 0; k < 8; ++k) v[k] += load<V>(numbers + at + k * W, Full<W>{});
  V total = {};
  for (int k = 0; k < 8; ++k) total += v[k];
  return sum<float, W>(total);
}

extern "C" int64_t vector_bytes() { return kVectorBytes; }
