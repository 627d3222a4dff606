// The core's fused sub-layers (packages/core/src/transformer/sublayers.ts), one call forward and one back.
#include "arguments.h"
#include "attention.h"
#include "device-sublayers.h"
#include "ffn.h"
#include "packed-weights.h"

namespace winnow {
namespace {

/** Memory for the kept numbers, as 32-bit integers: to TensorFlow.js it is a tensor like any other. */
template <typename Arithmetic>
at::Tensor emptyKept(int64_t numbers) {
  const int64_t bytes = numbers * static_cast<int64_t>(sizeof(Kept<Arithmetic>));
  return at::empty({ceilDivide(bytes, 4)}, at::kInt);
}

template <typename Arithmetic>
Kept<Arithmetic>* keptNumbers(const at::Tensor& kept) {
  return static_cast<Kept<Arithmetic>*>(kept.data_ptr());
}

/** A forward pass that keeps nothing may find its weights packed; one that trains packs its own. */
template <typename Arithmetic>
PackedRoom roomFor(const Tensors& tensors, bool keeps, int64_t bytes) {
  PackedWeights& kept = PackedWeights::ofThread();
  if (!keeps) return kept.roomFor(tensors.packed(), Arithmetic::kPacking, bytes);
  kept.sweep();
  return {};
}

struct AttentionCall {
  at::Tensor x;
  AttentionArguments arguments;
};

/**
 * Inputs x, norm, query, key, value, output, with heads, tokens, scale, epsilon, causal behind the norm; then layer scale, if
 * there is one, and as how many tokens each is looked at, if not as one.
 */
AttentionCall readAttention(Call& call, Tensors& tensors) {
  const at::Tensor x = tensors.next();
  const int64_t dim = x.size(1);
  const float* const normWeight = tensors.numbers();
  const float* const normBias = tensors.numbers();
  const int64_t heads = call.integer();
  const int64_t tokens = call.integer();
  const float scale = static_cast<float>(call.number());
  const float epsilon = static_cast<float>(call.number());
  const bool isCausal = call.flag();
  const Columns embed{dim};
  const Weight query = tensors.weight(embed);
  const Weight key = tensors.weight(embed);
  const Weight value = tensors.weight(embed);
  Weight output = tensors.weight(value.out);
  output.scale = tensors.layerScale(dim);
  const float* const counts = tensors.counts(x.size(0));
  TORCH_CHECK(heads > 0 && query.out.width >= heads && value.out.width >= heads && query.out.width % heads == 0 &&
                  value.out.width % heads == 0 && key.out.width == query.out.width,
              "expected ", heads, " heads of at least one number and of one width, got ", query.out.width, ", ",
              key.out.width, " and ", value.out.width, " columns");
  TORCH_CHECK(tokens > 0 && x.size(0) % tokens == 0, "expected whole sequences of ", tokens, " tokens, got ",
              x.size(0), " rows");
  return {x,
          {x.data_ptr<float>(), x.size(0) / tokens, tokens, heads, {normWeight, normBias, dim, epsilon}, query, key,
           value, output, scale, isCausal, counts, call.threads()}};
}

void attentionSublayer(Call& call) {
  if (!call.hasOwnKernels()) {
    const DeviceAttention sublayer(call);
    return sublayer.give(call.flag());
  }
  const Workspace workspace;
  Tensors tensors(call);
  const auto [x, arguments] = readAttention(call, tensors);
  const bool keeps = call.flag();
  at::Tensor y = at::empty_like(x);
  at::Tensor kept;
  withArithmetic(call, [&, &arguments = arguments](auto arithmetic) {
    using Arithmetic = decltype(arithmetic);
    if (keeps) kept = emptyKept<Arithmetic>(keptByAttention(arguments));
    attentionForward<Arithmetic>(arguments, y.data_ptr<float>(), keeps ? keptNumbers<Arithmetic>(kept) : nullptr,
                                 roomFor<Arithmetic>(tensors, keeps, packedByAttention<Arithmetic>(arguments)),
                                 workspace.scratch());
  });
  call.give(y);
  if (keeps) call.give(kept);
}

void attentionSublayerGradient(Call& call) {
  const Workspace workspace;
  Tensors tensors(call);
  const at::Tensor dy = tensors.next();
  const std::vector<at::Tensor> keptTensors = call.tensors();
  if (!call.hasOwnKernels()) return DeviceAttention(call).giveGradients(dy, keptTensors);
  const at::Tensor& kept = keptTensors.at(0);
  const auto [x, arguments] = readAttention(call, tensors);
  const AttentionArguments& of = arguments;
  Gradients gradients(call);
  // In this order: results answer the inputs one by one.
  float* const dx = gradients.of(x.sizes());
  float* const normWeight = gradients.of({of.norm.dim});
  float* const normBias = gradients.of({of.norm.dim});
  float* const queryWeight = gradients.ofWeight(of.query);
  float* const queryBias = gradients.ofBias(of.query);
  float* const keyWeight = gradients.ofWeight(of.key);
  float* const keyBias = gradients.ofBias(of.key);
  float* const valueWeight = gradients.ofWeight(of.value);
  float* const valueBias = gradients.ofBias(of.value);
  float* const outputWeight = gradients.ofWeight(of.output);
  float* const outputBias = gradients.ofBias(of.output);
  float* const outputScale = gradients.ofScale(of.output);
  withArithmetic(call, [&](auto arithmetic) {
    using Arithmetic = decltype(arithmetic);
    attentionBackward<Arithmetic>(of, dy.data_ptr<float>(), keptNumbers<Arithmetic>(kept),
                              {dx, normWeight, normBias, queryWeight, queryBias, keyWeight, keyBias, valueWeight,
                               valueBias, outputWeight, outputBias, outputScale},
                              workspace.scratch());
  });
  gradients.give();
}

struct FfnCall {
  at::Tensor x;
  FfnArguments arguments;
};

/** Inputs x, norm, expand, contract, with epsilon behind the norm; then layer scale, if there is one. */
FfnCall readFfn(Call& call, Tensors& tensors) {
  const at::Tensor x = tensors.next();
  const int64_t dim = x.size(1);
  const float* const normWeight = tensors.numbers();
  const float* const normBias = tensors.numbers();
  const float epsilon = static_cast<float>(call.number());
  const Weight expand = tensors.weight({dim});
  Weight contract = tensors.weight(expand.out);
  contract.scale = tensors.layerScale(dim);
  return {x,
          {x.data_ptr<float>(), x.size(0), {normWeight, normBias, dim, epsilon}, expand, contract,
           call.threads()}};
}

template <typename Body>
void withActivation(Call& call, Body body) {
  switch (readActivation(call)) {
    case ActivationKind::gelu:
      return body(Gelu());
    case ActivationKind::quickGelu:
      return body(QuickGelu());
    case ActivationKind::geluTanh:
      return body(GeluTanh());
  }
}

void ffnSublayer(Call& call) {
  if (!call.hasOwnKernels()) {
    const DeviceFfn sublayer(call);
    return sublayer.give(call.flag());
  }
  const Workspace workspace;
  Tensors tensors(call);
  const auto [x, arguments] = readFfn(call, tensors);
  const FfnArguments& of = arguments;
  at::Tensor y = at::empty_like(x);
  at::Tensor kept;
  bool keeps = false;
  withActivation(call, [&](auto activation) {
    keeps = call.flag();
    withArithmetic(call, [&](auto arithmetic) {
      using Arithmetic = decltype(arithmetic);
      if (keeps) kept = emptyKept<Arithmetic>(keptByFfn(of));
      ffnForward<Arithmetic, decltype(activation)>(of, y.data_ptr<float>(),
                                                   keeps ? keptNumbers<Arithmetic>(kept) : nullptr,
                                                   roomFor<Arithmetic>(tensors, keeps, packedByFfn<Arithmetic>(of)),
                                                   workspace.scratch());
    });
  });
  call.give(y);
  if (keeps) call.give(kept);
}

void ffnSublayerGradient(Call& call) {
  const Workspace workspace;
  Tensors tensors(call);
  const at::Tensor dy = tensors.next();
  const std::vector<at::Tensor> keptTensors = call.tensors();
  if (!call.hasOwnKernels()) return DeviceFfn(call).giveGradients(dy, keptTensors);
  const at::Tensor& kept = keptTensors.at(0);
  const auto [x, arguments] = readFfn(call, tensors);
  const FfnArguments& of = arguments;
  Gradients gradients(call);
  float* const dx = gradients.of(x.sizes());
  float* const normWeight = gradients.of({of.norm.dim});
  float* const normBias = gradients.of({of.norm.dim});
  float* const expandWeight = gradients.ofWeight(of.expand);
  float* const expandBias = gradients.ofBias(of.expand);
  float* const contractWeight = gradients.ofWeight(of.contract);
  float* const contractBias = gradients.ofBias(of.contract);
  float* const contractScale = gradients.ofScale(of.contract);
  withActivation(call, [&](auto activation) {
    withArithmetic(call, [&](auto arithmetic) {
      using Arithmetic = decltype(arithmetic);
      ffnBackward<Arithmetic, decltype(activation)>(
          of, dy.data_ptr<float>(), keptNumbers<Arithmetic>(kept),
          {dx, normWeight, normBias, expandWeight, expandBias, contractWeight, contractBias, contractScale},
          workspace.scratch());
    });
  });
  gradients.give();
}

}  // namespace

void addSublayers(Operations& operations) {
  const Operations own = {
      {"attentionSublayer", attentionSublayer},
      {"attentionSublayerGradient", attentionSublayerGradient},
      {"ffnSublayer", ffnSublayer},
      {"ffnSublayerGradient", ffnSublayerGradient},
  };
  operations.insert(operations.end(), own.begin(), own.end());
}

}  // namespace winnow
