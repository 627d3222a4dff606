#pragma once
// One head of one sequence on tiles: what was attended, and its gradient.
#include "normalization.h"

namespace winnow {

struct AttentionArguments {
  const float* x;  // [B·T, D]
  int64_t batch, tokens;
  Norm norm;
  Weight query, key, value;  // [D, H·d]
  Weight output;             // [H·d, D]
  float scale;
  bool isCausal;
  int threads;

  int64_t rows() const { return batch * tokens; }
  int64_t heads() const { return query.out.groups; }
};

/** Where the panels of queries, keys, values and attended values lie behind one another; every head has its own. */
struct HeadPanels {
  int64_t narrow, wide;  // panels of a query or key, of a value
  int64_t heads;

  explicit HeadPanels(const AttentionArguments& of)
      : narrow(of.query.out.panelsPerGroup()), wide(of.value.out.panelsPerGroup()), heads(of.heads()) {}
  int64_t query(int64_t head) const { return head * narrow; }
  int64_t key(int64_t head) const { return (heads + head) * narrow; }
  int64_t value(int64_t head) const { return 2 * heads * narrow + head * wide; }
  int64_t attended(int64_t head) const { return 2 * heads * narrow + (heads + head) * wide; }
  int64_t projected() const { return 2 * heads * narrow + heads * wide; }
  int64_t all() const { return 2 * heads * narrow + 2 * heads * wide; }
};

/** Queries in one go: their scores with all keys lie in [key panels][queries][32]. */
constexpr int64_t kQueriesAtOnce = 256;

/** Scores → exp(scale·(score − largest)), 0 where a query may not look. `sums` gets each row's sum. */
inline void exponentiate(const AttentionArguments& of, float* scores, int64_t firstQuery, int64_t queries,
                         int64_t stride, float* sums) {
  const int64_t panels = ceilDivide(of.tokens, kPanel);
  for (int64_t row = 0; row < queries; row++) {
    const int64_t seen = of.isCausal ? firstQuery + row + 1 : of.tokens;
    float* const begin = scores + row * kPanel;
    Lanes largest = broadcast(-3.0e38f);
    for (int64_t key = 0; key < seen; key += kLanes) {
      float* const at = begin + key / kPanel * stride + key % kPanel;
      largest = larger(largest, firstLanes(seen - key) ? load(at) : largest);
    }
    const float shift = largestOf(largest);
    Lanes sum{};
    for (int64_t key = 0; key < panels * kPanel; key += kLanes) {
      float* const at = begin + key / kPanel * stride + key % kPanel;
      if (key >= seen) {
        store(at, Lanes{});
        continue;
      }
      const Lanes power = firstLanes(seen - key) ? exponential((load(at) - shift) * of.scale) : Lanes{};
      store(at, power);
      sum += power;
    }
    sums[row] = sumOf(sum);
  }
}

/** Rows [count, 32], each divided by its sum. */
template <typename Number>
void storeDivided(const float* rows, const float* sums, int64_t count, Number* to) {
  for (int64_t row = 0; row < count; row++) {
    const float inverse = 1.0f / sums[row];
    for (int64_t at = row * kPanel; at < (row + 1) * kPanel; at += kLanes)
      storeNumbers(to + at, load(rows + at) * inverse);
  }
}

/** delta[row] += dO·O of that row, over one panel of both. */
inline void addDelta(const PanelView& output, const PanelView& attended, float* delta) {
  for (int64_t row = 0; row < output.rows; row++)
    delta[row] += sumOf((Lanes)output.half(row, 0) * (Lanes)attended.half(row, 0) +
                        (Lanes)output.half(row, 1) * (Lanes)attended.half(row, 1));
}

/**
 * Gradient of softmax: scores' powers in `weights` become probabilities, and `gradient` (of the probabilities) becomes that
 * of the scores: scale·p·(gradient − delta).
 */
inline void softmaxGradient(float scale, const float* inverseSums, const float* delta, int64_t count, float* weights,
                            float* gradient) {
  for (int64_t row = 0; row < count; row++) {
    for (int64_t at = row * kPanel; at < (row + 1) * kPanel; at += kLanes) {
      const Lanes probability = load(weights + at) * inverseSums[row];
      store(weights + at, probability);
      store(gradient + at, (load(gradient + at) - delta[row]) * probability * scale);
    }
  }
}

/** Reads queries, keys and values of one head from `panels` and writes there what they attend to. */
template <int planes>
void attend(const AttentionArguments& of, const HeadPanels& heads, const Panels<Kept<planes>>& panels, int64_t head,
            int64_t first, Scratch& scratch) {
  const int64_t tokens = of.tokens, keyPanels = ceilDivide(tokens, kPanel);
  const Left<planes> queries = takeLeft<planes>(scratch, tokens, heads.narrow);
  const Right<planes> keys = takeRight<planes>(scratch, heads.narrow, keyPanels);
  const Right<planes> values = takeRight<planes>(scratch, keyPanels, heads.wide);
  for (int64_t i = 0; i < heads.narrow; i++) {
    packLeft<planes>(viewOf(panels, heads.query(head) + i, first, tokens, kPanel, scratch), queries, i);
    packRightTransposed<planes>(viewOf(panels, heads.key(head) + i, first, tokens, kPanel, scratch), keys, i);
  }
  for (int64_t i = 0; i < heads.wide; i++)
    packRight<planes>(viewOf(panels, heads.value(head) + i, first, tokens, kPanel, scratch), values, i);

  const int64_t most = roundUp(std::min(tokens, kQueriesAtOnce), kTile);
  float* const scores = scratch.take<float>(keyPanels * most * kPanel);
  float* const sums = scratch.take<float>(most);
  float* const panel = scratch.take<float>(most * kPanel);
  const Left<planes> weights = takeLeft<planes>(scratch, most, keyPanels);
  for (int64_t query = 0; query < tokens; query += kQueriesAtOnce) {
    const int64_t count = std::min(kQueriesAtOnce, tokens - query), rowTiles = ceilDivide(count, kTile);
    for (int64_t j = 0; j < keyPanels; j++)
      product<planes>(queries, query / kTile, rowTiles, keys, j, {0, heads.narrow}, scores + j * most * kPanel);
    exponentiate(of, scores, query, count, most * kPanel, sums);
    for (int64_t j = 0; j < keyPanels; j++)
      packLeft<planes>({scores + j * most * kPanel, kPanel, count, kPanel}, weights, j);
    for (int64_t i = 0; i < heads.wide; i++) {
      product<planes>(weights, 0, rowTiles, values, i, {0, keyPanels}, panel);
      storeDivided(panel, sums, count, panels.at(heads.attended(head) + i, first + query));
    }
  }
}

/** The gradient of one head of one sequence: reads `kept` and the gradient of what was attended, writes `projected`. */
template <int planes>
void headGradient(const AttentionArguments& of, const HeadPanels& heads, const Panels<Kept<planes>>& kept,
                  const Panels<float>& attendedGradient, const Panels<float>& projected, int64_t head, int64_t first,
                  Scratch& scratch) {
  const int64_t tokens = of.tokens, keyPanels = ceilDivide(tokens, kPanel);
  const Left<planes> queries = takeLeft<planes>(scratch, tokens, heads.narrow);
  const Right<planes> keys = takeRight<planes>(scratch, heads.narrow, keyPanels);       // Kᵀ
  const Right<planes> values = takeRight<planes>(scratch, heads.wide, keyPanels);       // Vᵀ
  const Right<planes> keyRows = takeRight<planes>(scratch, keyPanels, heads.narrow);    // K
  const Left<planes> outputs = takeLeft<planes>(scratch, tokens, heads.wide);           // dO
  float* const delta = scratch.take<float>(tokens);                                     // rows of dO·O
  std::fill(delta, delta + tokens, 0.0f);
  for (int64_t i = 0; i < heads.narrow; i++) {
    packLeft<planes>(viewOf(kept, heads.query(head) + i, first, tokens, kPanel, scratch), queries, i);
    const PanelView key = viewOf(kept, heads.key(head) + i, first, tokens, kPanel, scratch);
    packRightTransposed<planes>(key, keys, i);
    packRight<planes>(key, keyRows, i);
  }
  for (int64_t i = 0; i < heads.wide; i++) {
    packRightTransposed<planes>(viewOf(kept, heads.value(head) + i, first, tokens, kPanel, scratch), values, i);
    const PanelView output = viewOf(attendedGradient, head * heads.wide + i, first, tokens, kPanel, scratch);
    packLeft<planes>(output, outputs, i);
    addDelta(output, viewOf(kept, heads.attended(head) + i, first, tokens, kPanel, scratch), delta);
  }

  const int64_t most = roundUp(std::min(tokens, kQueriesAtOnce), kTile);
  const int64_t queryTiles = ceilDivide(most, kPanel);
  float* const weights = scratch.take<float>(keyPanels * most * kPanel);
  float* const panel = scratch.take<float>(std::max(most, keyPanels * kPanel) * kPanel);
  float* const sums = scratch.take<float>(most);
  const Left<planes> scores = takeLeft<planes>(scratch, most, keyPanels);                                 // dS
  const Left<planes> weightColumns = takeLeft<planes>(scratch, keyPanels * kPanel, queryTiles);  // Pᵀ
  const Left<planes> scoreColumns = takeLeft<planes>(scratch, keyPanels * kPanel, queryTiles);   // dSᵀ
  const Right<planes> rightRows = takeRight<planes>(scratch, queryTiles, std::max(heads.narrow, heads.wide));

  for (int64_t query = 0; query < tokens; query += kQueriesAtOnce) {
    const int64_t count = std::min(kQueriesAtOnce, tokens - query), rowTiles = ceilDivide(count, kTile);
    const int64_t depth = ceilDivide(count, kPanel);
    for (int64_t j = 0; j < keyPanels; j++)
      product<planes>(queries, query / kTile, rowTiles, keys, j, {0, heads.narrow}, weights + j * most * kPanel);
    exponentiate(of, weights, query, count, most * kPanel, sums);
    for (int64_t row = 0; row < count; row++) sums[row] = 1.0f / sums[row];
    for (int64_t j = 0; j < keyPanels; j++) {
      float* const weight = weights + j * most * kPanel;
      product<planes>(outputs, query / kTile, rowTiles, values, j, {0, heads.wide}, panel);
      softmaxGradient(of.scale, sums, delta + query, count, weight, panel);
      const PanelView gradient{panel, kPanel, count, kPanel};
      packLeft<planes>(gradient, scores, j);
      packLeftTransposed<planes>(gradient, scoreColumns, j);
      packLeftTransposed<planes>({weight, kPanel, count, kPanel}, weightColumns, j);
    }

    for (int64_t i = 0; i < heads.narrow; i++) {
      product<planes>(scores, 0, rowTiles, keyRows, i, {0, keyPanels}, panel);
      std::memcpy(projected.at(heads.query(head) + i, first + query), panel, count * kPanel * sizeof(float));
    }
    const auto addColumns = [&](const Left<planes>& left, int64_t from, int64_t into, const auto& source, int64_t wide) {
      for (int64_t i = 0; i < wide; i++)
        packRight<planes>(viewOf(source, from + i, first + query, count, kPanel, scratch), rightRows, i);
      for (int64_t i = 0; i < wide; i++) {
        product<planes>({left.data, left.depthTiles}, 0, ceilDivide(tokens, kTile), rightRows, i, {0, depth}, panel);
        float* const to = projected.at(into + i, first);
        for (int64_t at = 0; at < tokens * kPanel; at += kLanes)
          store(to + at, query == 0 ? load(panel + at) : load(to + at) + load(panel + at));
      }
    };
    addColumns(weightColumns, head * heads.wide, heads.value(head), attendedGradient, heads.wide);
    addColumns(scoreColumns, heads.query(head), heads.key(head), kept, heads.narrow);
  }
}

}  // namespace winnow
