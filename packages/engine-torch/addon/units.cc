// Masks over the units of parameters (packages/core/src/operations/scale-units.ts): all parameters in one call, and all
// gradients, of parameters and masks, in another.
#include <algorithm>

#include "call.h"

namespace winnow {
namespace {

/** A parameter as [rows, units, width]: what runs through unit j is [:, j, :]. */
struct ScaledParameter {
  at::Tensor parameter, scale;
  int64_t scaleIndex, rows, units, width;

  at::Tensor broken(const at::Tensor& tensor) const { return tensor.view({rows, units, width}); }
  at::Tensor brokenScale() const { return scale.view({1, units, 1}); }
};

struct ScaledParameters {
  std::vector<at::Tensor> gradients;
  std::vector<ScaledParameter> list;
  std::vector<at::Tensor> scales;
  int64_t numbers = 0;
};

/** Tensors: gradients of the results, in a backward call; parameters; scales. Then the scale and width of each parameter. */
ScaledParameters readParameters(Call& call, bool isBackward) {
  ScaledParameters read;
  std::vector<at::Tensor> tensors = call.tensors();
  const std::vector<int64_t> scales = call.integers();
  const std::vector<int64_t> widths = call.integers();
  const auto parameters = tensors.begin() + (isBackward ? scales.size() : 0);
  TORCH_CHECK(widths.size() == scales.size() && parameters + scales.size() <= tensors.end(),
              "expected a scale and a width for each of ", tensors.size(), " tensors, got ", scales.size());
  read.gradients.assign(tensors.begin(), parameters);
  read.scales.assign(parameters + scales.size(), tensors.end());
  for (size_t i = 0; i < scales.size(); i++) {
    const at::Tensor& parameter = parameters[i];
    const at::Tensor& scale = read.scales.at(scales[i]);
    const int64_t units = scale.numel(), width = widths[i];
    TORCH_CHECK(units > 0 && width > 0 && parameter.numel() % (units * width) == 0, "expected rows of ", units,
                " units of ", width, ", got ", parameter.sizes());
    read.list.push_back({parameter, scale, scales[i], parameter.numel() / (units * width), units, width});
    read.numbers += parameter.numel();
  }
  return read;
}

/** body(index) for all parameters; threads take the next one as they are done. */
template <typename Body>
void overParameters(const Call& call, const ScaledParameters& of, Body body) {
  const auto count = static_cast<int64_t>(of.list.size());
#pragma omp parallel for schedule(dynamic) num_threads(call.threads()) if (of.numbers >= kNumbersWorthThreads)
  for (int64_t index = 0; index < count; index++) body(index);
}

/** y = x·scale. */
void scaleNumbers(const ScaledParameter& of, float* y) {
  const float* const x = of.parameter.data_ptr<float>();
  const float* const scale = of.scale.data_ptr<float>();
  for (int64_t row = 0, at = 0; row < of.rows; row++) {
    if (of.width == 1) {
#pragma omp simd
      for (int64_t unit = 0; unit < of.units; unit++) y[at + unit] = x[at + unit] * scale[unit];
      at += of.units;
      continue;
    }
    for (int64_t unit = 0; unit < of.units; unit++, at += of.width) {
      const float factor = scale[unit];
#pragma omp simd
      for (int64_t i = at; i < at + of.width; i++) y[i] = x[i] * factor;
    }
  }
}

/** dx = dy·scale; sums[unit] += dy·x. */
void gradientNumbers(const ScaledParameter& of, const float* dy, float* dx, float* sums) {
  const float* const x = of.parameter.data_ptr<float>();
  const float* const scale = of.scale.data_ptr<float>();
  for (int64_t row = 0, at = 0; row < of.rows; row++) {
    if (of.width == 1) {
#pragma omp simd
      for (int64_t unit = 0; unit < of.units; unit++) {
        dx[at + unit] = dy[at + unit] * scale[unit];
        sums[unit] += dy[at + unit] * x[at + unit];
      }
      at += of.units;
      continue;
    }
    for (int64_t unit = 0; unit < of.units; unit++, at += of.width) {
      const float factor = scale[unit];
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = at; i < at + of.width; i++) {
        dx[i] = dy[i] * factor;
        sum += dy[i] * x[i];
      }
      sums[unit] += sum;
    }
  }
}

void scaleUnits(Call& call) {
  const ScaledParameters of = readParameters(call, false);
  std::vector<at::Tensor> scaled;
  for (const ScaledParameter& each : of.list) {
    scaled.push_back(call.hasOwnKernels() ? at::empty_like(each.parameter)
                                          : each.broken(each.parameter).mul(each.brokenScale()).view(each.parameter.sizes()));
  }
  if (call.hasOwnKernels())
    overParameters(call, of, [&](int64_t index) { scaleNumbers(of.list[index], scaled[index].data_ptr<float>()); });
  for (at::Tensor& each : scaled) call.give(std::move(each));
}

void scaleUnitsGradient(Call& call) {
  const ScaledParameters of = readParameters(call, true);
  std::vector<at::Tensor> gradients;  // of the parameters
  std::vector<at::Tensor> sums;       // what each parameter adds to the gradient of its scale
  for (size_t i = 0; i < of.list.size(); i++) {
    const ScaledParameter& each = of.list[i];
    if (call.hasOwnKernels()) {
      gradients.push_back(at::empty_like(each.parameter));
      sums.push_back(at::zeros_like(each.scale));
      continue;
    }
    const at::Tensor dy = each.broken(of.gradients[i]);
    gradients.push_back(dy.mul(each.brokenScale()).view(each.parameter.sizes()));
    sums.push_back(dy.mul(each.broken(each.parameter)).sum(at::IntArrayRef{0, 2}));
  }
  if (call.hasOwnKernels()) {
    overParameters(call, of, [&](int64_t index) {
      gradientNumbers(of.list[index], of.gradients[index].data_ptr<float>(), gradients[index].data_ptr<float>(),
                      sums[index].data_ptr<float>());
    });
  }
  for (at::Tensor& each : gradients) call.give(std::move(each));
  // In the parameters' order, whichever thread was first.
  for (size_t scale = 0; scale < of.scales.size(); scale++) {
    at::Tensor total = at::zeros_like(of.scales[scale]);
    for (size_t i = 0; i < of.list.size(); i++)
      if (of.list[i].scaleIndex == static_cast<int64_t>(scale)) total.add_(sums[i]);
    call.give(total);
  }
}

}  // namespace

void addUnits(Operations& operations) {
  operations.push_back({"scaleUnits", scaleUnits});
  operations.push_back({"scaleUnitsGradient", scaleUnitsGradient});
}

}  // namespace winnow
