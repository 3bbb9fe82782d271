// The attention kernels for each kind of score, each width of a head and both kinds of numbers.
#include "attention.h"

template <class T, int W, int K, Kind kind>
void run(const Arguments& a, bool backward) {
  if (a.edge)
    backward ? backward_all<Attention<T, W, K, kind, true>>(a) : forward_all<Attention<T, W, K, kind, true>>(a);
  else
    backward ? backward_all<Attention<T, W, K, kind, false>>(a) : forward_all<Attention<T, W, K, kind, false>>(a);
}

template <Kind kind>
void choose(const Arguments& a, int64_t number_bytes, bool backward) {
  if (number_bytes == 8) return run<double, kWidth<double>, 0, kind>(a, backward);
  constexpr int W = kWidth<float>;
  if (a.channels == W) return run<float, W, 1, kind>(a, backward);
  if (a.channels == 2 * W) return run<float, W, 2, kind>(a, backward);
  if (a.channels == 4 * W) return run<float, W, 4, kind>(a, backward);
  if (W > 8 && a.channels == 8) return run<float, 8, 1, kind>(a, backward);
  run<float, W, 0, kind>(a, backward);
}

extern "C" void attention(const Arguments* a, int64_t kind, int64_t number_bytes, int64_t backward) {
  if (kind == kGatv2) choose<kGatv2>(*a, number_bytes, backward != 0);
  if (kind == kGat) choose<kGat>(*a, number_bytes, backward != 0);
  if (kind == kTransformer) choose<kTransformer>(*a, number_bytes, backward != 0);
}
