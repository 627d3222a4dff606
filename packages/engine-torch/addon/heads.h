#pragma once
// One head of one sequence, in packed operands: what was attended, and its gradient.
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
  const float* visible;  // [B, T], 1 where a token may be looked at and 0 where it may not; null where all may
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

/** Those of the lanes from key on that a query may look at: the first `seen` keys, less the hidden ones. */
inline IntLanes lanesSeen(const float* visible, int64_t key, int64_t seen) {
  if (visible == nullptr) return firstLanes(seen - key);
  return loadFirst(visible + key, seen - key) > 0.5f;
}

/** Of a row's sum; a query that may look at nothing attends to nothing. */
inline float inverseOf(float sum) { return sum > 0 ? 1.0f / sum : 0.0f; }

/**
 * Scores → exp(scale·(score − largest)), 0 where a query may not look. `sums` gets each row's sum.
 * @param first row of the sequence, which begins with its first token
 */
inline void exponentiate(const AttentionArguments& of, int64_t first, float* scores, int64_t firstQuery,
                         int64_t queries, int64_t stride, float* sums) {
  const int64_t panels = ceilDivide(of.tokens, kPanel);
  const float* const visible = of.visible == nullptr ? nullptr : of.visible + first;
  for (int64_t row = 0; row < queries; row++) {
    const int64_t seen = of.isCausal ? firstQuery + row + 1 : of.tokens;
    float* const begin = scores + row * kPanel;
    Lanes largest = broadcast(-3.0e38f);
    for (int64_t key = 0; key < seen; key += kLanes) {
      float* const at = begin + key / kPanel * stride + key % kPanel;
      largest = larger(largest, lanesSeen(visible, key, seen) ? load(at) : largest);
    }
    const float shift = largestOf(largest);
    Lanes sum{};
    for (int64_t key = 0; key < panels * kPanel; key += kLanes) {
      float* const at = begin + key / kPanel * stride + key % kPanel;
      if (key >= seen) {
        store(at, Lanes{});
        continue;
      }
      const Lanes power = lanesSeen(visible, key, seen) ? exponential((load(at) - shift) * of.scale) : Lanes{};
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
    const float inverse = inverseOf(sums[row]);
    for (int64_t at = row * kPanel; at < (row + 1) * kPanel; at += kLanes)
      storeNumbers(to + at, load(rows + at) * inverse);
  }
}

/** delta[row] += dO·O of that row, over one panel of both. */
inline void addDelta(const PanelView& output, const PanelView& attended, float* delta) {
  for (int64_t row = 0; row < output.rows; row++) {
    Lanes sum{};
    for (int64_t column = 0; column < kPanel; column += kLanes)
      sum += output.lanes(row, column) * attended.lanes(row, column);
    delta[row] += sumOf(sum);
  }
}

/**
 * Gradient of softmax: scores' powers in `weights` become probabilities, and `gradient` (of the probabilities) becomes
 * that of the scores: scale·p·(gradient − delta).
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
template <typename Arithmetic>
void attend(const AttentionArguments& of, const HeadPanels& heads, const Panels<Kept<Arithmetic>>& panels, int64_t head,
            int64_t first, Scratch& scratch) {
  const int64_t tokens = of.tokens, keyPanels = ceilDivide(tokens, kPanel);
  const Left<Arithmetic> queries = takeLeft<Arithmetic>(scratch, tokens, heads.narrow);
  const Right<Arithmetic> keys = takeRight<Arithmetic>(scratch, heads.narrow, keyPanels);
  const Right<Arithmetic> values = takeRight<Arithmetic>(scratch, keyPanels, heads.wide);
  for (int64_t i = 0; i < heads.narrow; i++) {
    packLeft(viewOf(panels, heads.query(head) + i, first, tokens, kPanel, scratch), queries, i);
    packRightTransposed(viewOf(panels, heads.key(head) + i, first, tokens, kPanel, scratch), keys, i);
  }
  for (int64_t i = 0; i < heads.wide; i++)
    packRight(viewOf(panels, heads.value(head) + i, first, tokens, kPanel, scratch), values, i);

  const int64_t most = roundUp(std::min(tokens, kQueriesAtOnce), kTile);
  float* const scores = scratch.take<float>(keyPanels * most * kPanel);
  float* const sums = scratch.take<float>(most);
  float* const panel = scratch.take<float>(most * kPanel);
  const Left<Arithmetic> weights = takeLeft<Arithmetic>(scratch, most, keyPanels);
  for (int64_t query = 0; query < tokens; query += kQueriesAtOnce) {
    const int64_t count = std::min(kQueriesAtOnce, tokens - query), rowTiles = ceilDivide(count, kTile);
    for (int64_t j = 0; j < keyPanels; j++)
      product(queries, query / kTile, rowTiles, keys, j, {0, heads.narrow}, scores + j * most * kPanel);
    exponentiate(of, first, scores, query, count, most * kPanel, sums);
    for (int64_t j = 0; j < keyPanels; j++)
      packLeft({scores + j * most * kPanel, kPanel, count, kPanel}, weights, j);
    for (int64_t i = 0; i < heads.wide; i++) {
      product(weights, 0, rowTiles, values, i, {0, keyPanels}, panel);
      storeDivided(panel, sums, count, panels.at(heads.attended(head) + i, first + query));
    }
  }
}

/** The gradient of one head of one sequence: reads `kept` and the gradient of what was attended, writes `projected`. */
template <typename Arithmetic>
void headGradient(const AttentionArguments& of, const HeadPanels& heads, const Panels<Kept<Arithmetic>>& kept,
                  const Panels<float>& attendedGradient, const Panels<float>& projected, int64_t head, int64_t first,
                  Scratch& scratch) {
  const int64_t tokens = of.tokens, keyPanels = ceilDivide(tokens, kPanel);
  const Left<Arithmetic> queries = takeLeft<Arithmetic>(scratch, tokens, heads.narrow);
  const Right<Arithmetic> keys = takeRight<Arithmetic>(scratch, heads.narrow, keyPanels);       // Kᵀ
  const Right<Arithmetic> values = takeRight<Arithmetic>(scratch, heads.wide, keyPanels);       // Vᵀ
  const Right<Arithmetic> keyRows = takeRight<Arithmetic>(scratch, keyPanels, heads.narrow);    // K
  const Left<Arithmetic> outputs = takeLeft<Arithmetic>(scratch, tokens, heads.wide);           // dO
  float* const delta = scratch.take<float>(tokens);                                     // rows of dO·O
  std::fill(delta, delta + tokens, 0.0f);
  for (int64_t i = 0; i < heads.narrow; i++) {
    packLeft(viewOf(kept, heads.query(head) + i, first, tokens, kPanel, scratch), queries, i);
    const PanelView key = viewOf(kept, heads.key(head) + i, first, tokens, kPanel, scratch);
    packRightTransposed(key, keys, i);
    packRight(key, keyRows, i);
  }
  for (int64_t i = 0; i < heads.wide; i++) {
    packRightTransposed(viewOf(kept, heads.value(head) + i, first, tokens, kPanel, scratch), values, i);
    const PanelView output = viewOf(attendedGradient, head * heads.wide + i, first, tokens, kPanel, scratch);
    packLeft(output, outputs, i);
    addDelta(output, viewOf(kept, heads.attended(head) + i, first, tokens, kPanel, scratch), delta);
  }

  const int64_t most = roundUp(std::min(tokens, kQueriesAtOnce), kTile);
  const int64_t queryTiles = ceilDivide(most, kPanel);
  float* const weights = scratch.take<float>(keyPanels * most * kPanel);
  float* const panel = scratch.take<float>(std::max(most, keyPanels * kPanel) * kPanel);
  float* const sums = scratch.take<float>(most);
  const Left<Arithmetic> scores = takeLeft<Arithmetic>(scratch, most, keyPanels);                                 // dS
  const Left<Arithmetic> weightColumns = takeLeft<Arithmetic>(scratch, keyPanels * kPanel, queryTiles);  // Pᵀ
  const Left<Arithmetic> scoreColumns = takeLeft<Arithmetic>(scratch, keyPanels * kPanel, queryTiles);   // dSᵀ
  const Right<Arithmetic> rightRows = takeRight<Arithmetic>(scratch, queryTiles, std::max(heads.narrow, heads.wide));

  for (int64_t query = 0; query < tokens; query += kQueriesAtOnce) {
    const int64_t count = std::min(kQueriesAtOnce, tokens - query), rowTiles = ceilDivide(count, kTile);
    const int64_t depth = ceilDivide(count, kPanel);
    for (int64_t j = 0; j < keyPanels; j++)
      product(queries, query / kTile, rowTiles, keys, j, {0, heads.narrow}, weights + j * most * kPanel);
    exponentiate(of, first, weights, query, count, most * kPanel, sums);
    for (int64_t row = 0; row < count; row++) sums[row] = inverseOf(sums[row]);
    for (int64_t j = 0; j < keyPanels; j++) {
      float* const weight = weights + j * most * kPanel;
      product(outputs, query / kTile, rowTiles, values, j, {0, heads.wide}, panel);
      softmaxGradient(of.scale, sums, delta + query, count, weight, panel);
      const PanelView gradient{panel, kPanel, count, kPanel};
      packLeft(gradient, scores, j);
      packLeftTransposed(gradient, scoreColumns, j);
      packLeftTransposed({weight, kPanel, count, kPanel}, weightColumns, j);
    }

    for (int64_t i = 0; i < heads.narrow; i++) {
      product(scores, 0, rowTiles, keyRows, i, {0, keyPanels}, panel);
      std::memcpy(projected.at(heads.query(head) + i, first + query), panel, count * kPanel * sizeof(float));
    }
    const auto addColumns = [&](const Left<Arithmetic>& left, int64_t from, int64_t into, const auto& source,
                                int64_t wide) {
      for (int64_t i = 0; i < wide; i++)
        packRight(viewOf(source, from + i, first + query, count, kPanel, scratch), rightRows, i);
      for (int64_t i = 0; i < wide; i++) {
        product(left, 0, ceilDivide(tokens, kTile), rightRows, i, {0, depth}, panel);
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
