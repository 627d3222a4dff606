#pragma once
// One head of one sequence, in packed operands: what was attended, and its gradient.
#include "normalization.h"
#include "panel-columns.h"

namespace winnow {

struct AttentionArguments {
  const float* x;  // [B·T, D]
  int64_t batch, tokens, heads;
  Norm norm;
  Weight query, key, value;  // [D, H·d]
  Weight output;             // [H·d, D]
  float scale;
  bool isCausal;
  const float* counts;  // [B, T], as how many tokens each is looked at, 0 where it is not; null where each is as one
  int threads;

  int64_t rows() const { return batch * tokens; }
};

/** Some columns, 32 at most, of all panels side by side; a head has as many of them as cover its width. */
struct HeadColumns {
  int64_t first, count;
};

/**
 * Where the panels of queries, keys, values and attended values lie behind one another. Each of the four begins a panel of
 * its own; within it heads stand without gaps.
 */
struct HeadPanels {
  int64_t heads, keyWidth, valueWidth;  // of one head
  int64_t keyPanels, valuePanels;       // of all heads

  explicit HeadPanels(const AttentionArguments& of)
      : heads(of.heads), keyWidth(of.query.out.width / heads), valueWidth(of.value.out.width / heads),
        keyPanels(of.query.out.panels()), valuePanels(of.value.out.panels()) {}

  /** Panels that one head's queries or keys, and its values, would fill. */
  int64_t narrow() const { return ceilDivide(keyWidth, kPanel); }
  int64_t wide() const { return ceilDivide(valueWidth, kPanel); }

  int64_t firstKey() const { return keyPanels; }
  int64_t firstValue() const { return 2 * keyPanels; }
  int64_t firstAttended() const { return projected(); }
  int64_t projected() const { return 2 * keyPanels + valuePanels; }
  int64_t all() const { return projected() + valuePanels; }

  HeadColumns query(int64_t head, int64_t i) const { return columns(0, keyWidth, head, i); }
  HeadColumns key(int64_t head, int64_t i) const { return columns(firstKey(), keyWidth, head, i); }
  HeadColumns value(int64_t head, int64_t i) const { return columns(firstValue(), valueWidth, head, i); }
  HeadColumns attended(int64_t head, int64_t i) const { return columns(firstAttended(), valueWidth, head, i); }
  /** Where the panels hold nothing but attended values. */
  HeadColumns attendedAlone(int64_t head, int64_t i) const { return columns(0, valueWidth, head, i); }

 private:
  static HeadColumns columns(int64_t firstPanel, int64_t width, int64_t head, int64_t i) {
    return {firstPanel * kPanel + head * width + i * kPanel, std::min(kPanel, width - i * kPanel)};
  }
};

template <typename Number>
PanelView gather(const Panels<Number>& from, HeadColumns of, int64_t row, int64_t rows, Scratch& scratch) {
  return gather(from, of.first, of.count, row, rows, scratch);
}
template <typename Number>
void scatter(const float* panel, int64_t rows, const Panels<Number>& to, HeadColumns of, int64_t row,
             bool adds = false) {
  scatter(panel, rows, to, of.first, of.count, row, adds);
}

/** Queries in one go: their scores with all keys lie in [key panels][queries][32]. */
constexpr int64_t kQueriesAtOnce = 256;

/** Those of the lanes from key on that a query may look at: the first `seen` keys, less those that count 0. */
inline IntLanes lanesSeen(const float* counts, int64_t key, int64_t seen) {
  if (counts == nullptr) return firstLanes(seen - key);
  return loadFirst(counts + key, seen - key) > 0.0f;
}

/** Of a row's sum; a query that may look at nothing attends to nothing. */
inline float inverseOf(float sum) { return sum > 0 ? 1.0f / sum : 0.0f; }

/**
 * Scores → count·exp(scale·(score − largest)), 0 where a query may not look. `sums` gets each row's sum.
 * @param first row of the sequence, which begins with its first token
 */
inline void exponentiate(const AttentionArguments& of, int64_t first, float* scores, int64_t firstQuery,
                         int64_t queries, int64_t stride, float* sums) {
  const int64_t panels = ceilDivide(of.tokens, kPanel);
  const float* const counts = of.counts == nullptr ? nullptr : of.counts + first;
  for (int64_t row = 0; row < queries; row++) {
    const int64_t seen = of.isCausal ? firstQuery + row + 1 : of.tokens;
    float* const begin = scores + row * kPanel;
    Lanes largest = broadcast(-3.0e38f);
    for (int64_t key = 0; key < seen; key += kLanes) {
      float* const at = begin + key / kPanel * stride + key % kPanel;
      largest = larger(largest, lanesSeen(counts, key, seen) ? load(at) : largest);
    }
    const float shift = largestOf(largest);
    Lanes sum{};
    for (int64_t key = 0; key < panels * kPanel; key += kLanes) {
      float* const at = begin + key / kPanel * stride + key % kPanel;
      if (key >= seen) {
        store(at, Lanes{});
        continue;
      }
      Lanes power = lanesSeen(counts, key, seen) ? exponential((load(at) - shift) * of.scale) : Lanes{};
      if (counts != nullptr) power *= loadFirst(counts + key, seen - key);
      store(at, power);
      sum += power;
    }
    sums[row] = sumOf(sum);
  }
}

/** Rows [count, 32], each divided by its sum. */
inline void divide(float* rows, const float* sums, int64_t count) {
  for (int64_t row = 0; row < count; row++) {
    const float inverse = inverseOf(sums[row]);
    for (int64_t at = row * kPanel; at < (row + 1) * kPanel; at += kLanes) store(rows + at, load(rows + at) * inverse);
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
  const Left<Arithmetic> queries = takeLeft<Arithmetic>(scratch, tokens, heads.narrow());
  const Right<Arithmetic> keys = takeRight<Arithmetic>(scratch, heads.narrow(), keyPanels);
  const Right<Arithmetic> values = takeRight<Arithmetic>(scratch, keyPanels, heads.wide());
  for (int64_t i = 0; i < heads.narrow(); i++) {
    packLeft(gather(panels, heads.query(head, i), first, tokens, scratch), queries, i);
    packRightTransposed(gather(panels, heads.key(head, i), first, tokens, scratch), keys, i);
  }
  for (int64_t i = 0; i < heads.wide(); i++)
    packRight(gather(panels, heads.value(head, i), first, tokens, scratch), values, i);

  const int64_t most = roundUp(std::min(tokens, kQueriesAtOnce), kTile);
  float* const scores = scratch.take<float>(keyPanels * most * kPanel);
  float* const sums = scratch.take<float>(most);
  float* const panel = scratch.take<float>(most * kPanel);
  const Left<Arithmetic> weights = takeLeft<Arithmetic>(scratch, most, keyPanels);
  for (int64_t query = 0; query < tokens; query += kQueriesAtOnce) {
    const int64_t count = std::min(kQueriesAtOnce, tokens - query);
    for (int64_t j = 0; j < keyPanels; j++)
      product(queries, query / kTile, count, keys, j, DepthRange(heads.keyWidth), scores + j * most * kPanel, false,
              std::min(kPanel, tokens - j * kPanel));
    exponentiate(of, first, scores, query, count, most * kPanel, sums);
    for (int64_t j = 0; j < keyPanels; j++)
      packLeft({scores + j * most * kPanel, kPanel, count, kPanel}, weights, j);
    for (int64_t i = 0; i < heads.wide(); i++) {
      product(weights, 0, count, values, i, DepthRange(tokens), panel, false, heads.value(head, i).count);
      divide(panel, sums, count);
      scatter(panel, count, panels, heads.attended(head, i), first + query);
    }
  }
}

/** The gradient of one head of one sequence: reads `kept` and the gradient of what was attended, writes `projected`. */
template <typename Arithmetic>
void headGradient(const AttentionArguments& of, const HeadPanels& heads, const Panels<Kept<Arithmetic>>& kept,
                  const Panels<float>& attendedGradient, const Panels<float>& projected, int64_t head, int64_t first,
                  Scratch& scratch) {
  const int64_t tokens = of.tokens, keyPanels = ceilDivide(tokens, kPanel);
  const Left<Arithmetic> queries = takeLeft<Arithmetic>(scratch, tokens, heads.narrow());
  const Right<Arithmetic> keys = takeRight<Arithmetic>(scratch, heads.narrow(), keyPanels);       // Kᵀ
  const Right<Arithmetic> values = takeRight<Arithmetic>(scratch, heads.wide(), keyPanels);       // Vᵀ
  const Right<Arithmetic> keyRows = takeRight<Arithmetic>(scratch, keyPanels, heads.narrow());    // K
  const Left<Arithmetic> outputs = takeLeft<Arithmetic>(scratch, tokens, heads.wide());           // dO
  float* const delta = scratch.take<float>(tokens);                                     // rows of dO·O
  std::fill(delta, delta + tokens, 0.0f);
  for (int64_t i = 0; i < heads.narrow(); i++) {
    packLeft(gather(kept, heads.query(head, i), first, tokens, scratch), queries, i);
    const PanelView key = gather(kept, heads.key(head, i), first, tokens, scratch);
    packRightTransposed(key, keys, i);
    packRight(key, keyRows, i);
  }
  for (int64_t i = 0; i < heads.wide(); i++) {
    packRightTransposed(gather(kept, heads.value(head, i), first, tokens, scratch), values, i);
    const PanelView output = gather(attendedGradient, heads.attendedAlone(head, i), first, tokens, scratch);
    packLeft(output, outputs, i);
    addDelta(output, gather(kept, heads.attended(head, i), first, tokens, scratch), delta);
  }

  const int64_t most = roundUp(std::min(tokens, kQueriesAtOnce), kTile);
  const int64_t queryTiles = ceilDivide(most, kPanel);
  float* const weights = scratch.take<float>(keyPanels * most * kPanel);
  float* const panel = scratch.take<float>(std::max(most, keyPanels * kPanel) * kPanel);
  float* const sums = scratch.take<float>(most);
  const Left<Arithmetic> scores = takeLeft<Arithmetic>(scratch, most, keyPanels);                                 // dS
  const Left<Arithmetic> weightColumns = takeLeft<Arithmetic>(scratch, keyPanels * kPanel, queryTiles);  // Pᵀ
  const Left<Arithmetic> scoreColumns = takeLeft<Arithmetic>(scratch, keyPanels * kPanel, queryTiles);   // dSᵀ
  const Right<Arithmetic> rightRows = takeRight<Arithmetic>(scratch, queryTiles, std::max(heads.narrow(), heads.wide()));

  for (int64_t query = 0; query < tokens; query += kQueriesAtOnce) {
    const int64_t count = std::min(kQueriesAtOnce, tokens - query);
    for (int64_t j = 0; j < keyPanels; j++)
      product(queries, query / kTile, count, keys, j, DepthRange(heads.keyWidth), weights + j * most * kPanel, false,
              std::min(kPanel, tokens - j * kPanel));
    exponentiate(of, first, weights, query, count, most * kPanel, sums);
    for (int64_t row = 0; row < count; row++) sums[row] = inverseOf(sums[row]);
    for (int64_t j = 0; j < keyPanels; j++) {
      float* const weight = weights + j * most * kPanel;
      product(outputs, query / kTile, count, values, j, DepthRange(heads.valueWidth), panel);
      softmaxGradient(of.scale, sums, delta + query, count, weight, panel);
      const PanelView gradient{panel, kPanel, count, kPanel};
      packLeft(gradient, scores, j);
      packLeftTransposed(gradient, scoreColumns, j);
      packLeftTransposed({weight, kPanel, count, kPanel}, weightColumns, j);
    }

    for (int64_t i = 0; i < heads.narrow(); i++) {
      product(scores, 0, count, keyRows, i, DepthRange(tokens), panel);
      scatter(panel, count, projected, heads.query(head, i), first + query);
    }
    const auto addColumns = [&](const Left<Arithmetic>& left, int64_t wide, const auto& source, auto from, auto into) {
      for (int64_t i = 0; i < wide; i++) packRight(gather(source, from(i), first + query, count, scratch), rightRows, i);
      for (int64_t i = 0; i < wide; i++) {
        product(left, 0, tokens, rightRows, i, DepthRange(count), panel);
        scatter(panel, tokens, projected, into(i), first, query > 0);
      }
    };
    addColumns(weightColumns, heads.wide(), attendedGradient, [&](int64_t i) { return heads.attendedAlone(head, i); },
               [&](int64_t i) { return heads.value(head, i); });
    addColumns(scoreColumns, heads.narrow(), kept, [&](int64_t i) { return heads.query(head, i); },
               [&](int64_t i) { return heads.key(head, i); });
  }
}

}  // namespace winnow
