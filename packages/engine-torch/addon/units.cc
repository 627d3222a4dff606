// A mask over the units of a parameter (packages/core/src/operations/scale-units.ts), and both its gradients in one pass.
#include <algorithm>

#include "call.h"

namespace winnow {
namespace {

/** A parameter as [rows, units, width]: what runs through unit j is [:, j, :]. */
struct Units {
  int64_t rows, units, width;

  static Units of(const at::Tensor& parameter, int64_t units, int64_t width) {
    TORCH_CHECK(units > 0 && width > 0 && parameter.numel() % (units * width) == 0, "expected rows of ", units,
                " units of ", width, ", got ", parameter.sizes());
    return {parameter.numel() / (units * width), units, width};
  }
  /** Into how many parts the rows are cut, one a thread: few where there is little to do. */
  int64_t shares(int threads) const {
    return std::max<int64_t>(1, std::min<int64_t>({threads, rows, rows * units * width / kNumbersWorthThreads}));
  }
};

/** body(share, first row, last row) for all shares. */
template <typename Body>
void overShares(const Units& shape, int64_t shares, Body body) {
#pragma omp parallel for num_threads(static_cast<int>(shares)) if (shares > 1)
  for (int64_t share = 0; share < shares; share++)
    body(share, shape.rows * share / shares, shape.rows * (share + 1) / shares);
}

/** Rows [first, last) of y = x·scale. */
void scaleRows(const Units& shape, int64_t first, int64_t last, const float* x, const float* scale, float* y) {
  for (int64_t row = first; row < last; row++) {
    const int64_t begin = row * shape.units * shape.width;
    if (shape.width == 1) {
#pragma omp simd
      for (int64_t unit = 0; unit < shape.units; unit++) y[begin + unit] = x[begin + unit] * scale[unit];
      continue;
    }
    for (int64_t unit = 0; unit < shape.units; unit++) {
      const int64_t at = begin + unit * shape.width;
      const float factor = scale[unit];
#pragma omp simd
      for (int64_t i = at; i < at + shape.width; i++) y[i] = x[i] * factor;
    }
  }
}

void scaleUnits(Call& call) {
  const at::Tensor parameter = call.tensor();
  const at::Tensor scale = call.tensor();
  const int64_t units = call.integer();
  const Units shape = Units::of(parameter, units, call.integer());
  if (!parameter.is_cpu()) {
    const at::Tensor broken = parameter.view({shape.rows, shape.units, shape.width});
    call.give(broken.mul(scale.view({1, shape.units, 1})).view(parameter.sizes()));
    return;
  }
  at::Tensor scaled = at::empty_like(parameter);
  overShares(shape, shape.shares(call.threads()), [&](int64_t, int64_t first, int64_t last) {
    scaleRows(shape, first, last, parameter.data_ptr<float>(), scale.data_ptr<float>(), scaled.data_ptr<float>());
  });
  call.give(scaled);
}

/** Rows [first, last) of dx = dy·scale; sums[unit] += dy·x. */
void gradientOfRows(const Units& shape, int64_t first, int64_t last, const float* dy, const float* x,
                    const float* scale, float* dx, float* sums) {
  for (int64_t row = first; row < last; row++) {
    const int64_t begin = row * shape.units * shape.width;
    if (shape.width == 1) {
#pragma omp simd
      for (int64_t unit = 0; unit < shape.units; unit++) {
        dx[begin + unit] = dy[begin + unit] * scale[unit];
        sums[unit] += dy[begin + unit] * x[begin + unit];
      }
      continue;
    }
    for (int64_t unit = 0; unit < shape.units; unit++) {
      const int64_t at = begin + unit * shape.width;
      const float factor = scale[unit];
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = at; i < at + shape.width; i++) {
        dx[i] = dy[i] * factor;
        sum += dy[i] * x[i];
      }
      sums[unit] += sum;
    }
  }
}

void scaleUnitsGradient(Call& call) {
  const at::Tensor dy = call.tensor();
  const at::Tensor parameter = call.tensor();
  const at::Tensor scale = call.tensor();
  const int64_t units = call.integer();
  const Units shape = Units::of(parameter, units, call.integer());
  if (!dy.is_cpu()) {
    const at::Tensor gradient = dy.view({shape.rows, shape.units, shape.width});
    call.give(gradient.mul(scale.view({1, shape.units, 1})).view(parameter.sizes()));
    call.give(gradient.mul(parameter.view(gradient.sizes())).sum(at::IntArrayRef{0, 2}));
    return;
  }
  at::Tensor dx = at::empty_like(parameter);
  // One line of sums for each share of the rows, added up in order: the same result whichever thread was first.
  const int64_t shares = shape.shares(call.threads());
  at::Tensor sums = at::zeros({shares, shape.units}, at::kFloat);
  overShares(shape, shares, [&](int64_t share, int64_t first, int64_t last) {
    gradientOfRows(shape, first, last, dy.data_ptr<float>(), parameter.data_ptr<float>(), scale.data_ptr<float>(),
                   dx.data_ptr<float>(), sums.data_ptr<float>() + share * shape.units);
  });
  call.give(dx);
  call.give(shares == 1 ? sums.view({shape.units}) : sums.sum(0));
}

}  // namespace

void addUnits(Operations& operations) {
  operations.push_back({"scaleUnits", scaleUnits});
  operations.push_back({"scaleUnitsGradient", scaleUnitsGradient});
}

}  // namespace winnow
