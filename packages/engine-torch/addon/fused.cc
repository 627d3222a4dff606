// The core's fused operations (packages/core/src/operations), one call each: the same inputs, attributes and results as
// the compositions there.
#include <cmath>

#include "device-attention.h"

namespace winnow {
namespace {

/** xᵀy, of each of a batch by itself: f32 whatever the precision of other products. */
void columnProducts(Call& call) {
  const at::Tensor x = call.tensor(), y = call.tensor();
  call.give(at::matmul(x.transpose(-2, -1), y));
}

void layerNorm(Call& call) {
  const at::Tensor x = call.tensor();
  const at::Tensor weight = call.tensor();
  const at::Tensor bias = call.tensor();
  const double epsilon = call.number();
  at::Tensor normalized = x - x.mean(1, true);
  const at::Tensor inverseDeviation = normalized.square().mean(1, true).add_(epsilon).rsqrt_();  // [N, 1]
  normalized.mul_(inverseDeviation);
  call.give(at::addcmul(bias, normalized, weight));
  call.give(normalized);
  call.give(inverseDeviation);
}

void layerNormGradient(Call& call) {
  const at::Tensor dy = call.tensor();
  const at::Tensor weight = call.tensor();
  const at::Tensor normalized = call.tensor();
  const at::Tensor inverseDeviation = call.tensor();
  // To libtorch the normalised rows are an input of mean 0 and deviation 1; what is left is the chain rule's factor.
  const at::Tensor mean = at::zeros_like(inverseDeviation);
  const at::Tensor one = at::ones_like(inverseDeviation);
  const auto gradients = at::native_layer_norm_backward(dy, normalized, {normalized.size(1)}, mean, one, weight,
                                                        at::zeros_like(weight), {true, true, true});
  call.give(std::get<0>(gradients).mul_(inverseDeviation));
  call.give(std::get<1>(gradients));
  call.give(std::get<2>(gradients));
}

void gelu(Call& call) {
  const at::Tensor x = call.tensor();
  const at::Tensor cdf = x.mul(M_SQRT1_2).erf_().mul_(0.5).add_(0.5);
  call.give(x.mul(cdf));
  call.give(cdf);
}

void geluGradient(Call& call) {
  const at::Tensor dy = call.tensor();
  const at::Tensor x = call.tensor();
  call.give(at::gelu_backward(dy, x));
}

/** x·½(1 + tanh u) = x·σ(2u), with u = √(2/π)·(x + 0.044715·x³). */
void geluTanh(Call& call) {
  constexpr double kSlope = M_2_SQRTPI * M_SQRT2;  // 2√(2/π)
  const at::Tensor x = call.tensor();
  const at::Tensor gate = x.square().mul_(0.044715 * kSlope).add_(kSlope).mul_(x).sigmoid_();
  call.give(x.mul(gate));
  call.give(gate);
}

void geluTanhGradient(Call& call) {
  const at::Tensor dy = call.tensor();
  const at::Tensor x = call.tensor();
  call.give(at::gelu_backward(dy, x, "tanh"));
}

constexpr double kQuickSlope = 1.702;

void quickGelu(Call& call) {
  const at::Tensor x = call.tensor();
  const at::Tensor gate = x.mul(kQuickSlope).sigmoid_();
  call.give(x.mul(gate));
  call.give(gate);
}

void quickGeluGradient(Call& call) {
  const at::Tensor dy = call.tensor();
  const at::Tensor x = call.tensor();
  const at::Tensor gate = call.tensor();
  at::Tensor slope = gate.neg().add_(1).mul_(x).mul_(kQuickSlope).add_(1);
  call.give(slope.mul_(gate).mul_(dy));
}

struct Heads {
  at::ScalarType operandType = at::kFloat;
  int64_t batch = 0, tokens = 0, heads = 0;

  /** [B·T, H·d] → [B·H, T, d], as an operand: one pass over the numbers. */
  at::Tensor split(const at::Tensor& x) const {
    const int64_t dim = x.size(1) / heads;
    const at::Tensor perHead = x.view({batch, tokens, heads, dim}).transpose(1, 2);
    return converted(perHead, operandType).reshape({batch * heads, tokens, dim});
  }

  /** [B·H, T, d] → [B·T, H·d], as a result */
  at::Tensor merge(const at::Tensor& x) const {
    const int64_t dim = x.size(2);
    const at::Tensor perToken = x.view({batch, heads, tokens, dim}).transpose(1, 2);
    return converted(perToken, at::kFloat).reshape({batch * tokens, heads * dim});
  }

  static at::Tensor converted(const at::Tensor& x, at::ScalarType type) {
    return x.to(type, /*non_blocking=*/false, /*copy=*/false, at::MemoryFormat::Contiguous);
  }
};

Heads headsOf(Call& call) {
  Heads read;
  if (call.isBf16()) read.operandType = at::kBFloat16;
  read.batch = call.integer();
  read.tokens = call.integer();
  read.heads = call.integer();
  return read;
}

void attention(Call& call) {
  const at::Tensor query = call.tensor();
  const at::Tensor key = call.tensor();
  const at::Tensor value = call.tensor();
  const Heads shape = headsOf(call);
  const double scale = call.number();
  const bool isCausal = call.flag();
  const at::Tensor probabilities = probabilitiesOf(shape.split(query), shape.split(key), {scale, isCausal});  // [B·H, T, T]
  call.give(shape.merge(at::bmm(operandOf(call, probabilities), shape.split(value))));
  call.give(probabilities);
}

void attentionGradient(Call& call) {
  const at::Tensor dy = call.tensor();
  const at::Tensor query = call.tensor();
  const at::Tensor key = call.tensor();
  const at::Tensor value = call.tensor();
  const at::Tensor probabilities = call.tensor();
  const Heads shape = headsOf(call);
  const double scale = call.number();
  const HeadGradients gradients =
      gradientsThrough(probabilities, shape.split(dy), shape.split(query), shape.split(key), shape.split(value), scale);
  for (const at::Tensor& each : {gradients.query, gradients.key, gradients.value}) call.give(shape.merge(each));
}

void softmaxCrossEntropy(Call& call) {
  const at::Tensor logits = call.tensor();
  const at::Tensor targets = call.tensor();
  const double batch = static_cast<double>(logits.size(0));
  const at::Tensor logProbabilities = at::log_softmax(logits, 1);
  call.give(logProbabilities.mul(targets).sum().div_(-batch));
  call.give(logProbabilities.exp().sub_(targets).div_(batch));
}

}  // namespace

void addFused(Operations& operations) {
  const Operations own = {
      {"attention", attention},
      {"attentionGradient", attentionGradient},
      {"gelu", gelu},
      {"geluGradient", geluGradient},
      {"geluTanh", geluTanh},
      {"geluTanhGradient", geluTanhGradient},
      {"columnProducts", columnProducts},
      {"layerNorm", layerNorm},
      {"layerNormGradient", layerNormGradient},
      {"quickGelu", quickGelu},
      {"quickGeluGradient", quickGeluGradient},
      {"softmaxCrossEntropy", softmaxCrossEntropy},
  };
  operations.insert(operations.end(), own.begin(), own.end());
}

}  // namespace winnow
