#pragma once
// Attention of libtorch's kernels, forward and back: its fused ones, which make no T×T numbers, where they take what is
// asked for; products and a softmax elsewhere.
#include <tuple>

#include "call.h"
#include "version.h"

namespace winnow {

/**
 * Kernels that sum in an order of their own are asked for, not only wished for: libtorch's attention takes a mere wish
 * as none. To be used around nothing else, as operations without such a kernel fail then.
 */
class StrictOrder {
 public:
  explicit StrictOrder(const at::Device& device)
      : isOnGpu_(device.is_cuda()),
        wasAsked_(at::globalContext().deterministicAlgorithms()),
        wasWish_(at::globalContext().deterministicAlgorithmsWarnOnly()) {
    if (isOnGpu_) at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  }
  ~StrictOrder() {
    if (isOnGpu_) at::globalContext().setDeterministicAlgorithms(wasAsked_, wasWish_);
  }
  StrictOrder(const StrictOrder&) = delete;

 private:
  bool isOnGpu_, wasAsked_, wasWish_;
};

struct Scores {
  double scale;
  bool isCausal;
  at::Tensor logarithms;  // [B, 1, 1, T], of the counts of tokens, -1e9 where no token may look; undefined where each counts as one
};

/** Queries and keys [.., T, d] → softmax(scale·Q·Kᵀ) [.., T, T], in float32. */
inline at::Tensor probabilitiesOf(const at::Tensor& query, const at::Tensor& key, const Scores& of) {
  at::Tensor scores = at::matmul(query, key.transpose(-2, -1)).to(at::kFloat).mul_(of.scale);
  if (of.isCausal) {
    const at::Tensor pairs = at::ones({query.size(-2), key.size(-2)}, scores.options().dtype(at::kBool));
    scores.masked_fill_(pairs.triu_(1), -1e9);
  }
  if (of.logarithms.defined()) scores.add_(of.logarithms);
  return at::softmax(scores, -1);
}

struct HeadGradients {
  at::Tensor query, key, value;
};

/** Of operands [.., T, d] that were multiplied with `probabilities` [.., T, T]. */
inline HeadGradients gradientsThrough(const at::Tensor& probabilities, const at::Tensor& dy, const at::Tensor& query,
                                      const at::Tensor& key, const at::Tensor& value, double scale) {
  const at::Tensor ofProbabilities = at::matmul(dy, value.transpose(-2, -1)).to(at::kFloat);
  const at::Tensor ofScores =
      at::_softmax_backward_data(ofProbabilities, probabilities, -1, at::kFloat).mul_(scale).to(query.scalar_type());
  return {at::matmul(ofScores, key), at::matmul(ofScores.transpose(-2, -1), query),
          at::matmul(probabilities.to(query.scalar_type()).transpose(-2, -1), dy)};
}

/** All heads of all sequences: [B, H, T, d] as operands, whose numbers of one token may lie side by side. */
struct HeadOperands {
  at::Tensor query, key, value;
};

/** [B, H, T, d], and what its gradient is found by: [B, H, T or a little more], or the probabilities. */
struct Attended {
  at::Tensor output, statistics;
};

/** As libtorch numbers them. */
enum class AttentionKernel : int64_t { composed = 0, flash = 1, efficient = 2 };

/** What takes these operands on this device; the same for a forward pass and its gradient. Where tokens count differently it is composed. */
inline AttentionKernel kernelFor(const HeadOperands& of, const Scores& scores) {
  if (scores.logarithms.defined()) return AttentionKernel::composed;
#if WINNOW_TORCH_AT_LEAST(2, 6)
  const StrictOrder order(of.query.device());
  const int64_t choice = at::_fused_sdp_choice(of.query, of.key, of.value, {}, 0.0, scores.isCausal, scores.scale);
  if (choice == static_cast<int64_t>(AttentionKernel::flash)) return AttentionKernel::flash;
  if (choice == static_cast<int64_t>(AttentionKernel::efficient)) return AttentionKernel::efficient;
#endif
  return AttentionKernel::composed;
}

inline Attended attend(const HeadOperands& of, const Scores& scores, bool keeps) {
#if WINNOW_TORCH_AT_LEAST(2, 6)
  switch (kernelFor(of, scores)) {
    case AttentionKernel::flash: {
      if (of.query.is_cpu()) {
        const auto found = at::_scaled_dot_product_flash_attention_for_cpu(of.query, of.key, of.value, 0.0,
                                                                           scores.isCausal, {}, scores.scale);
        return {std::get<0>(found), std::get<1>(found)};
      }
      const auto found = at::_scaled_dot_product_flash_attention(of.query, of.key, of.value, 0.0, scores.isCausal,
                                                                 /*return_debug_mask=*/false, scores.scale);
      return {std::get<0>(found), std::get<1>(found)};
    }
    case AttentionKernel::efficient: {
      const auto found = at::_scaled_dot_product_efficient_attention(
          of.query, of.key, of.value, {}, /*compute_log_sumexp=*/keeps, 0.0, scores.isCausal, scores.scale);
      return {std::get<0>(found), std::get<1>(found)};
    }
    case AttentionKernel::composed: break;
  }
#endif
  const at::Tensor probabilities = probabilitiesOf(of.query, of.key, scores);
  return {at::matmul(probabilities.to(of.value.scalar_type()), of.value), probabilities};
}

/** dy [B, H, T, d]. */
inline HeadGradients gradientsOfAttend(const HeadOperands& of, const Scores& scores, const at::Tensor& dy,
                                       const Attended& attended) {
#if WINNOW_TORCH_AT_LEAST(2, 6)
  const StrictOrder order(of.query.device());
  // Of the numbers that drop connections, which none does.
  const at::Tensor unused = at::empty({0}, of.query.options().dtype(at::kLong));
  const int64_t tokens = of.query.size(2);
  switch (kernelFor(of, scores)) {
    case AttentionKernel::flash: {
      const auto found =
          of.query.is_cpu()
              ? at::_scaled_dot_product_flash_attention_for_cpu_backward(dy, of.query, of.key, of.value,
                                                                         attended.output, attended.statistics, 0.0,
                                                                         scores.isCausal, {}, scores.scale)
              : at::_scaled_dot_product_flash_attention_backward(
                    dy, of.query, of.key, of.value, attended.output, attended.statistics, /*cum_seq_q=*/{},
                    /*cum_seq_k=*/{}, tokens, tokens, 0.0, scores.isCausal, unused, unused, scores.scale);
      return {std::get<0>(found), std::get<1>(found), std::get<2>(found)};
    }
    case AttentionKernel::efficient: {
      const auto found = at::_scaled_dot_product_efficient_attention_backward(
          dy, of.query, of.key, of.value, /*attn_bias=*/{}, attended.output, attended.statistics, unused, unused, 0.0,
          {true, true, true, false}, scores.isCausal, scores.scale);
      return {std::get<0>(found), std::get<1>(found), std::get<2>(found)};
    }
    case AttentionKernel::composed: break;
  }
#endif
  return gradientsThrough(attended.statistics, dy, of.query, of.key, of.value, scores.scale);
}

}  // namespace winnow
