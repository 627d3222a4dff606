// Masks over single weights (packages/core/src/operations/mask-weights.ts): all parameters in one call, and all their
// gradients in another.
#include "call.h"

namespace winnow {
namespace {

/** y_i = x_i ⊙ m_i, where `mask` has the entries of one tensor after the other's. */
void giveMasked(Call& call, const std::vector<at::Tensor>& tensors, size_t first, size_t end, const at::Tensor& mask) {
  std::vector<at::Tensor> masked;
  std::vector<int64_t> from;
  int64_t numbers = 0;
  for (size_t i = first; i < end; i++) {
    from.push_back(numbers);
    numbers += tensors[i].numel();
  }
  TORCH_CHECK(mask.numel() == numbers, "expected a mask of ", numbers, " weights, got one of ", mask.numel());
  const auto count = static_cast<int64_t>(from.size());
  if (!call.hasOwnKernels()) {
    for (int64_t i = 0; i < count; i++) {
      const at::Tensor& x = tensors[first + i];
      call.give(x.mul(mask.narrow(0, from[i], x.numel()).view(x.sizes())));
    }
    return;
  }
  for (int64_t i = 0; i < count; i++) masked.push_back(at::empty_like(tensors[first + i]));
  const float* const m = mask.data_ptr<float>();
#pragma omp parallel for schedule(dynamic) num_threads(call.threads()) if (numbers >= kNumbersWorthThreads)
  for (int64_t i = 0; i < count; i++) {
    const float* const x = tensors[first + i].data_ptr<float>();
    const float* const own = m + from[i];
    float* const y = masked[i].data_ptr<float>();
    const int64_t size = masked[i].numel();
#pragma omp simd
    for (int64_t at = 0; at < size; at++) y[at] = x[at] * own[at];
  }
  for (at::Tensor& each : masked) call.give(std::move(each));
}

/** Tensors: the mask, then the parameters. */
void maskWeights(Call& call) {
  const std::vector<at::Tensor> tensors = call.tensors();
  TORCH_CHECK(!tensors.empty(), "expected a mask");
  giveMasked(call, tensors, 1, tensors.size(), tensors.front());
}

/** Tensors: the gradients of the results, then the mask. */
void maskWeightsGradient(Call& call) {
  const std::vector<at::Tensor> tensors = call.tensors();
  TORCH_CHECK(!tensors.empty(), "expected a mask");
  giveMasked(call, tensors, 0, tensors.size() - 1, tensors.back());
}

}  // namespace

void addMasks(Operations& operations) {
  operations.push_back({"maskWeights", maskWeights});
  operations.push_back({"maskWeightsGradient", maskWeightsGradient});
}

}  // namespace winnow
