// Vectors of W numbers by the compiler's vector extension, which becomes AVX-512, AVX2 or NEON, as the machine has it.
#pragma once
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

#define INLINE inline __attribute__((always_inline))
#define INLINE_LAMBDA __attribute__((always_inline))

// Number of lanes for rows of C numbers: as many as the machine has, halved while at least half of them would be idle
// (to 4 at least) and while that leaves no remainder (to 8 at least).
template <class T, int C>
constexpr int lanes() {
  int w = kVectorBytes / int(sizeof(T));
  while (w > 4 && w / 2 >= C) w /= 2;
  while (w > 8 && C % w != 0 && C % (w / 2) == 0) w /= 2;
  return w;
}

// A product that is rounded before it is added to another: else the compiler chooses which of the two products an FMA
// rounds. (Clang fuses operations within one statement only.)
#if defined(__clang__)
#define ROUNDED(x) (x)
#else
#define ROUNDED(x) __builtin_assoc_barrier(x)
#endif

template <class T, int W>
struct Types {
  using Integer = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
  typedef T Vector __attribute__((vector_size(W * sizeof(T))));
  typedef Integer Mask __attribute__((vector_size(W * sizeof(T))));
};
template <class T, int W>
using Vector = typename Types<T, W>::Vector;

template <int W>
using Full = std::integral_constant<int, W>;

// Load or store N numbers; the lanes beyond them are zero, and no memory beyond them is touched.
template <class V, class T, int N>
INLINE V load(const T* from, Full<N>) {
  V v = {};
  if constexpr (N * sizeof(T) == sizeof v)
    std::memcpy(&v, from, sizeof v);
  else
    for (int i = 0; i < N; ++i) v[i] = from[i];
  return v;
}
template <class V, class T, int N>
INLINE void store(T* to, V v, Full<N>) {
  if constexpr (N * sizeof(T) == sizeof v)
    std::memcpy(to, &v, sizeof v);
  else
    for (int i = 0; i < N; ++i) to[i] = v[i];
}

template <class V, class T>
INLINE V same(T x) {
  return x - V{};
}

// A row of C numbers as vectors of W, the last one perhaps shorter: calls f(index of vector, its first column, length).
template <int C, int W>
struct Columns {
  static constexpr int full = C / W, rest = C % W, vectors = full + (rest > 0);
  static constexpr bool few = vectors <= 8;
  template <class F>
  static INLINE void each(F f) {
    if constexpr (few) {
#pragma GCC unroll 8
      for (int k = 0; k < full; ++k) f(k, k * W, Full<W>{});
    } else {
      for (int k = 0; k < full; ++k) f(k, k * W, Full<W>{});
    }
    if constexpr (rest > 0) f(full, full * W, Full<rest>{});
  }
};

template <int H, class V, int W, size_t... L>
INLINE V fold_halves(V a, V b, std::index_sequence<L...>) {
  return __builtin_shufflevector(a, b, int(L / (2 * H) * (2 * H) + L % H + (L / H % 2) * W)...) +
         __builtin_shufflevector(a, b, int(L / (2 * H) * (2 * H) + L % H + (L / H % 2) * W + H)...);
}

// The sums of W vectors as one vector, with the sum of vector l in lane l: a tree of W - 1 additions of half vectors.
template <class T, int W, int N = W>
INLINE Vector<T, W> sums(Vector<T, W>* v) {
  if constexpr (N == 1) {
    return v[0];
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < N / 2; ++i)
      v[i] = fold_halves<N / 2, Vector<T, W>, W>(v[i], v[i + N / 2], std::make_index_sequence<W>{});
    return sums<T, W, N / 2>(v);
  }
}

template <class T, int W>
INLINE Vector<T, W / 2> low_half(Vector<T, W> v) {
  return []<size_t... L>(Vector<T, W> x, std::index_sequence<L...>) INLINE_LAMBDA {
    return __builtin_shufflevector(x, x, int(L)...);
  }(v, std::make_index_sequence<W / 2>{});
}
template <class T, int W>
INLINE Vector<T, W / 2> high_half(Vector<T, W> v) {
  return []<size_t... L>(Vector<T, W> x, std::index_sequence<L...>) INLINE_LAMBDA {
    return __builtin_shufflevector(x, x, int(L + W / 2)...);
  }(v, std::make_index_sequence<W / 2>{});
}

// The same for only N vectors: their halves are added until N lanes are left, so that each sum has the same order.
template <class T, int W, int N>
INLINE Vector<T, N> sums_of_few(Vector<T, W>* v) {
  if constexpr (W == N) {
    return sums<T, W>(v);
  } else {
    Vector<T, W / 2> narrow[N];
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) narrow[i] = low_half<T, W>(v[i]) + high_half<T, W>(v[i]);
    return sums_of_few<T, W / 2, N>(narrow);
  }
}

template <class T, int W>
INLINE T sum(Vector<T, W> v) {
  if constexpr (W == 2) {
    return v[0] + v[1];
  } else {
    return sum<T, W / 2>(low_half<T, W>(v) + high_half<T, W>(v));
  }
}

template <class T, int W>
INLINE T largest(Vector<T, W> v) {
  if constexpr (W == 2) {
    return v[0] > v[1] ? v[0] : v[1];
  } else {
    const Vector<T, W / 2> low = low_half<T, W>(v), high = high_half<T, W>(v);
    return largest<T, W / 2>(low > high ? low : high);
  }
}

// N lanes, padded with zeros to W, for a single store: two overlapping stores would be slow to read back.
template <class T, int N, int W>
INLINE Vector<T, W> widened(Vector<T, N> v) {
  if constexpr (N == W)
    return v;
  else
    return widened<T, 2 * N, W>([]<size_t... L>(Vector<T, N> x, std::index_sequence<L...>) INLINE_LAMBDA {
      return __builtin_shufflevector(x, Vector<T, N>{}, int(L)...);
    }(v, std::make_index_sequence<2 * N>{}));
}

// The first `count` lanes of v, then `rest`.
template <class T, int W>
INLINE Vector<T, W> first_lanes(Vector<T, W> v, int count, T rest) {
  using M = typename Types<T, W>::Mask;
  using Integer = typename Types<T, W>::Integer;
  M lane;
  for (int l = 0; l < W; ++l) lane[l] = Integer(l);
  return lane < Integer(count) ? v : same<Vector<T, W>>(rest);
}

// exp(x) = 2^n exp(r), n = round(x / log 2), |r| <= log(2) / 2, exp(r) by its Taylor series: the first omitted term,
// r^8 / 8! = 5e-9 (float) or r^14 / 14! = 4e-18 (double), is below rounding. n is read from the last bits of
// x / log 2 + 3 * 2^(digits - 1), which is an integer. NaN stays NaN; below the smallest normal number, exp(x) is zero.
template <class T, int W>
INLINE Vector<T, W> exponential(Vector<T, W> x) {
  using V = Vector<T, W>;
  using M = typename Types<T, W>::Mask;
  constexpr bool wide = sizeof(T) == 8;
  constexpr int digits = wide ? 52 : 23;
  constexpr T low = wide ? T(-708.0) : T(-87.0), high = wide ? T(709.0) : T(88.0);
  constexpr T whole = wide ? T(6755399441055744.0) : T(12582912.0);
  // log 2 in two parts; the first has so few digits that its product with n is exact.
  constexpr T log2_high = wide ? T(6.93147180369123816490e-01) : T(0.693359375);
  constexpr T log2_low = wide ? T(1.90821492927058770002e-10) : T(-2.12194440e-4);
  const auto below = x < low;
  x = below ? same<V>(low) : x;
  x = x > high ? same<V>(high) : x;
  V shifted = x * T(1.4426950408889634) + whole;
  V n = shifted - whole;
  V r = (x - n * log2_high) - n * log2_low;
  constexpr int degree = wide ? 13 : 7;
  constexpr double factorials[] = {1.,     1.,      2.,       6.,        24.,        120.,        720.,
                                   5040., 40320., 362880., 3628800., 39916800., 479001600., 6227020800.};
  V y = same<V>(T(1.0 / factorials[degree]));
#pragma GCC unroll 16
  for (int i = degree - 1; i >= 0; --i) y = y * r + T(1.0 / factorials[i]);
  M power, bits;
  std::memcpy(&power, &shifted, sizeof power);
  std::memcpy(&bits, &y, sizeof bits);
  bits += power << digits;
  std::memcpy(&y, &bits, sizeof y);
  return below ? V{} : y;
}
