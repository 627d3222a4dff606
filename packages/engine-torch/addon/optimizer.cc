// What an optimizer does with all leaves of a tree, in one call each: AdamW (packages/core/src/operations/adamw-step.ts) and
// gradients clipped by their joint norm (clip-gradients.ts), and whether all numbers are finite (finite-probe.ts).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "call.h"
#include "packed-weights.h"
#include "version.h"

namespace winnow {
namespace {

struct AdamWHyper {
  double learningRate, beta1, beta2, epsilon, iteration;

  double rootCorrection() const { return std::sqrt(1 - std::pow(beta2, iteration)); }
  double stepSize() const { return learningRate / (1 - std::pow(beta1, iteration)); }
};

struct AdamWLeaf {
  at::Tensor parameter, gradient, mean, variance;
  double weightDecay;
  /** The caller gives up what the results replace. */
  bool isDonated;
  at::Tensor nextParameter, nextMean, nextVariance;

  bool isInPlace() const { return nextParameter.is_same(parameter); }
};

/**
 * Whether only the table and the leaf hold it: many kernels, a slice of everything or a cast to the same type, give
 * the memory of their input as their result, which JavaScript then counts as two.
 */
bool isOurs(const at::Tensor& tensor) { return tensor.use_count() == 2 && tensor.storage().use_count() == 1; }

/** Results are written into the memory of what they replace, or into new memory. */
void prepareResults(AdamWLeaf& leaf) {
  const bool isInPlace = leaf.isDonated && isOurs(leaf.parameter) && isOurs(leaf.mean) && isOurs(leaf.variance);
  if (isInPlace) PackedWeights::ofThread().forget(leaf.parameter);
  const auto next = [&](const at::Tensor& old) { return isInPlace ? old : at::empty_like(old); };
  leaf.nextParameter = next(leaf.parameter);
  leaf.nextMean = next(leaf.mean);
  leaf.nextVariance = next(leaf.variance);
}

/** One pass over numbers [first, last) of a leaf: seven streams of memory, which is all the time that it takes. */
void stepRange(const AdamWHyper& hyper, const AdamWLeaf& leaf, int64_t first, int64_t last) {
  const float* const parameter = leaf.parameter.data_ptr<float>();
  const float* const gradient = leaf.gradient.data_ptr<float>();
  const float* const mean = leaf.mean.data_ptr<float>();
  const float* const variance = leaf.variance.data_ptr<float>();
  float* const nextParameter = leaf.nextParameter.data_ptr<float>();
  float* const nextMean = leaf.nextMean.data_ptr<float>();
  float* const nextVariance = leaf.nextVariance.data_ptr<float>();
  const auto beta1 = static_cast<float>(hyper.beta1), otherBeta1 = static_cast<float>(1 - hyper.beta1);
  const auto beta2 = static_cast<float>(hyper.beta2), otherBeta2 = static_cast<float>(1 - hyper.beta2);
  const auto inverseRoot = static_cast<float>(1 / hyper.rootCorrection());
  const auto epsilon = static_cast<float>(hyper.epsilon), stepSize = static_cast<float>(hyper.stepSize());
  const auto decay = static_cast<float>(1 - hyper.learningRate * leaf.weightDecay);
#pragma omp simd
  for (int64_t i = first; i < last; i++) {
    const float g = gradient[i];
    const float m = mean[i] * beta1 + g * otherBeta1;
    const float v = variance[i] * beta2 + g * g * otherBeta2;
    nextParameter[i] = parameter[i] * decay - stepSize * m / (std::sqrt(v) * inverseRoot + epsilon);
    nextMean[i] = m;
    nextVariance[i] = v;
  }
}

/** The same of libtorch's operations, leaf by leaf. */
[[maybe_unused]] void stepByOperations(const AdamWHyper& hyper, const AdamWLeaf& leaf) {
  leaf.nextMean.mul_(hyper.beta1).add_(leaf.gradient, 1 - hyper.beta1);
  leaf.nextVariance.mul_(hyper.beta2).addcmul_(leaf.gradient, leaf.gradient, 1 - hyper.beta2);
  const at::Tensor denominator = leaf.nextVariance.sqrt().div_(hyper.rootCorrection()).add_(hyper.epsilon);
  leaf.nextParameter.mul_(1 - hyper.learningRate * leaf.weightDecay)
      .addcdiv_(leaf.nextMean, denominator, -hyper.stepSize());
}

/** All leaves of one weight decay by libtorch's own kernel, in place. */
struct AdamWGroup {
  std::vector<at::Tensor> parameters, gradients, means, variances;

  void add(const AdamWLeaf& leaf) {
    parameters.push_back(leaf.nextParameter);
    gradients.push_back(leaf.gradient.view(leaf.parameter.sizes()));
    means.push_back(leaf.nextMean.view(leaf.parameter.sizes()));
    variances.push_back(leaf.nextVariance.view(leaf.parameter.sizes()));
  }

  void step(const AdamWHyper& hyper, double weightDecay) {
    const at::Tensor iteration = at::full({}, hyper.iteration, parameters.front().options());
    const std::vector<at::Tensor> iterations(parameters.size(), iteration);
    at::_fused_adamw_(parameters, gradients, means, variances, {}, iterations, hyper.learningRate, hyper.beta1,
                      hyper.beta2, weightDecay, hyper.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
};

void stepByLibtorch(const AdamWHyper& hyper, const std::vector<AdamWLeaf>& leaves) {
  std::map<double, AdamWGroup> groups;
  for (const AdamWLeaf& leaf : leaves) {
    if (!leaf.isInPlace()) {
      leaf.nextParameter.copy_(leaf.parameter);
      leaf.nextMean.copy_(leaf.mean);
      leaf.nextVariance.copy_(leaf.variance);
    }
    if (leaf.parameter.numel() == 0) continue;
#if WINNOW_TORCH_AT_LEAST(2, 4)
    groups[leaf.weightDecay].add(leaf);
#else
    stepByOperations(hyper, leaf);
#endif
  }
  for (auto& [weightDecay, group] : groups) group.step(hyper, weightDecay);
}

/** All leaves as one row of numbers, of which every thread takes an equal part: small leaves wake nobody. */
void stepTogether(const AdamWHyper& hyper, const std::vector<AdamWLeaf>& leaves, int threads) {
  int64_t total = 0;
  for (const AdamWLeaf& leaf : leaves) total += leaf.parameter.numel();
  const int64_t shares = std::max<int64_t>(1, std::min<int64_t>(threads, total / kNumbersWorthThreads));
#pragma omp parallel for num_threads(static_cast<int>(shares)) if (shares > 1)
  for (int64_t share = 0; share < shares; share++) {
    const int64_t first = total * share / shares, last = total * (share + 1) / shares;
    int64_t begin = 0;
    for (const AdamWLeaf& leaf : leaves) {
      const int64_t size = leaf.parameter.numel();
      const int64_t from = std::max<int64_t>(first - begin, 0), to = std::min(last - begin, size);
      if (from < to) stepRange(hyper, leaf, from, to);
      begin += size;
    }
  }
}

void adamW(Call& call) {
  const AdamWHyper hyper{call.number(), call.number(), call.number(), call.number(), call.number()};
  std::vector<AdamWLeaf> leaves(call.groups());
  for (AdamWLeaf& leaf : leaves) {
    leaf.parameter = call.tensor();
    leaf.gradient = call.tensor();
    leaf.mean = call.tensor();
    leaf.variance = call.tensor();
    leaf.weightDecay = call.number();
    leaf.isDonated = call.flag();
    for (const at::Tensor* of : {&leaf.parameter, &leaf.gradient, &leaf.mean, &leaf.variance}) {
      const at::Tensor& each = *of;
      TORCH_CHECK(each.numel() == leaf.parameter.numel() && each.scalar_type() == at::kFloat,
                  "expected float32 of the parameter's size ", leaf.parameter.sizes(), ", got ", each.scalar_type(),
                  " ", each.sizes());
    }
  }
  // Once all are read: a tensor that stands in two leaves has two holders more.
  for (AdamWLeaf& leaf : leaves) prepareResults(leaf);
  if (call.hasOwnKernels()) stepTogether(hyper, leaves, call.threads());
  else stepByLibtorch(hyper, leaves);
  for (AdamWLeaf& leaf : leaves) {
    call.give(leaf.nextParameter);
    call.give(leaf.nextMean);
    call.give(leaf.nextVariance);
  }
}

/** Σx² of float32: in single precision over blocks of numbers, in double over the blocks. */
double sumOfSquares(const at::Tensor& tensor) {
  constexpr int64_t kBlock = 1024;
  const float* const x = tensor.data_ptr<float>();
  const int64_t size = tensor.numel();
  double total = 0;
  for (int64_t first = 0; first < size; first += kBlock) {
    const int64_t last = std::min(first + kBlock, size);
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = first; i < last; i++) sum += x[i] * x[i];
    total += sum;
  }
  return total;
}

/** By libtorch's operations: nothing waits for a number from another device. */
void clipByOperations(Call& call, const std::vector<at::Tensor>& gradients, double maxNorm, double epsilon) {
  const at::Tensor norm = at::stack(at::_foreach_norm(gradients)).norm();
  const at::Tensor scale = norm.add(epsilon).clamp_min(maxNorm).reciprocal().mul(maxNorm);
#if WINNOW_TORCH_AT_LEAST(2, 4)
  for (const at::Tensor& each : at::_foreach_mul(gradients, scale)) call.give(each);
#else
  for (const at::Tensor& each : gradients) call.give(each.mul(scale));
#endif
}

/** Tensors, the largest joint norm, ε: the tensors scaled down to it, or as they are where they are within it. */
void clipGradients(Call& call) {
  const std::vector<at::Tensor> gradients = call.tensors();
  const double maxNorm = call.number(), epsilon = call.number();
  const auto count = static_cast<int64_t>(gradients.size());
  int64_t numbers = 0;
  for (const at::Tensor& each : gradients) {
    TORCH_CHECK(each.scalar_type() == at::kFloat, "expected float32, got ", each.scalar_type());
    numbers += each.numel();
  }
  if (!call.hasOwnKernels()) return clipByOperations(call, gradients, maxNorm, epsilon);
  std::vector<double> squares(count);
#pragma omp parallel for schedule(dynamic) num_threads(call.threads()) if (numbers >= kNumbersWorthThreads)
  for (int64_t i = 0; i < count; i++) squares[i] = sumOfSquares(gradients[i]);
  double total = 0;
  for (const double square : squares) total += square;
  // In this order a norm that is no number stays none.
  const double scale = maxNorm / std::max(std::sqrt(total) + epsilon, maxNorm);
  if (scale == 1) {
    for (const at::Tensor& each : gradients) call.give(each);
    return;
  }
  std::vector<at::Tensor> clipped;
  for (const at::Tensor& each : gradients) clipped.push_back(at::empty_like(each));
  const auto factor = static_cast<float>(scale);
#pragma omp parallel for schedule(dynamic) num_threads(call.threads()) if (numbers >= kNumbersWorthThreads)
  for (int64_t i = 0; i < count; i++) {
    const float* const x = gradients[i].data_ptr<float>();
    float* const y = clipped[i].data_ptr<float>();
    const int64_t size = clipped[i].numel();
#pragma omp simd
    for (int64_t at = 0; at < size; at++) y[at] = x[at] * factor;
  }
  for (at::Tensor& each : clipped) call.give(std::move(each));
}

/** Whether one of float32 numbers [first, last) is NaN or infinite: its exponent has all bits. */
bool hasNonFinite(const float* x, int64_t first, int64_t last) {
  constexpr uint32_t kExponent = 0x7f800000u;
  uint32_t found = 0;
#pragma omp simd reduction(| : found)
  for (int64_t i = first; i < last; i++) {
    uint32_t bits;
    std::memcpy(&bits, x + i, sizeof bits);
    found |= (bits & kExponent) == kExponent ? 1u : 0u;
  }
  return found != 0;
}

/** Tensors of float32: a number that is NaN or infinite if one of theirs is. */
void finiteProbe(Call& call) {
  const std::vector<at::Tensor> tensors = call.tensors();
  int64_t total = 0;
  for (const at::Tensor& each : tensors) {
    TORCH_CHECK(each.scalar_type() == at::kFloat, "expected float32, got ", each.scalar_type());
    total += each.numel();
  }
  if (!call.hasOwnKernels()) return call.give(at::stack(at::_foreach_norm(tensors)).sum());
  const int64_t shares = std::max<int64_t>(1, std::min<int64_t>(call.threads(), total / kNumbersWorthThreads));
  int found = 0;
#pragma omp parallel for reduction(| : found) num_threads(static_cast<int>(shares)) if (shares > 1)
  for (int64_t share = 0; share < shares; share++) {
    const int64_t first = total * share / shares, last = total * (share + 1) / shares;
    int64_t begin = 0;
    for (const at::Tensor& each : tensors) {
      const int64_t from = std::max<int64_t>(first - begin, 0), to = std::min(last - begin, each.numel());
      if (from < to && hasNonFinite(each.data_ptr<float>(), from, to)) found = 1;
      begin += each.numel();
    }
  }
  call.give(at::scalar_tensor(found ? std::numeric_limits<double>::quiet_NaN() : 0.0, call.options(at::kFloat)));
}

}  // namespace

void addOptimizer(Operations& operations) {
  operations.push_back({"adamW", adamW});
  operations.push_back({"clipGradients", clipGradients});
  operations.push_back({"finiteProbe", finiteProbe});
}

}  // namespace winnow
