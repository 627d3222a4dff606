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
PanelOf<Number> gather(const Panels<Number>& from, HeadColumns of, int64_t row, int64_t rows, Scratch& scratch) {
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
 * @param powers [key panels][any rows, those of `scores`][32]
 */
template <typename Arithmetic, typename Number>
void exponentiate(const AttentionArguments& of, int64_t first, const Panels<float>& scores, int64_t firstQuery,
                  int64_t queries, const Panels<Number>& powers, float* sums) {
  const int64_t panels = ceilDivide(of.tokens, kPanel);
  const float* const counts = of.counts == nullptr ? nullptr : of.counts + first;
  for (int64_t row = 0; row < queries; row++) {
    const int64_t seen = of.isCausal ? firstQuery + row + 1 : of.tokens;
    // Up to here all lanes are looked at, and as one token each.
    const int64_t plain = counts == nullptr ? seen / kLanes * kLanes : 0;
    const auto at = [&](int64_t key) { return load(scores.at(key / kPanel, row) + key % kPanel); };
    Lanes largest = broadcast(-3.0e38f);
    for (int64_t key = 0; key < plain; key += kLanes) largest = larger(largest, at(key));
    for (int64_t key = plain; key < seen; key += kLanes)
      largest = larger(largest, lanesSeen(counts, key, seen) ? at(key) : largest);
    const float shift = largestOf(largest);
    Lanes sum{};
    const auto powerAt = [&](int64_t key) {
      const Lanes exponent = (at(key) - shift) * of.scale;
      return isRounded<Arithmetic> ? roughExponential(exponent) : exponential(exponent);
    };
    const auto give = [&](int64_t key, Lanes power) {
      storeNumbers(powers.at(key / kPanel, row) + key % kPanel, power);
      sum += power;
    };
    for (int64_t key = 0; key < plain; key += kLanes) give(key, powerAt(key));
    for (int64_t key = plain; key < panels * kPanel; key += kLanes) {
      if (key >= seen) {
        give(key, Lanes{});
        continue;
      }
      const Lanes power = lanesSeen(counts, key, seen) ? powerAt(key) : Lanes{};
      give(key, counts == nullptr ? power : power * loadFirst(counts + key, seen - key));
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
template <typename Number>
void addDelta(const PanelOf<Number>& output, const PanelOf<Number>& attended, float* delta) {
  for (int64_t row = 0; row < output.rows; row++) {
    Lanes sum{};
    for (int64_t column = 0; column < kPanel; column += kLanes)
      sum += output.lanes(row, column) * attended.lanes(row, column);
    delta[row] += sumOf(sum);
  }
}

/**
 * Gradient of softmax: of scores' powers, `probabilities`, and of `gradient` (of the probabilities) that of the scores:
 * scale·p·(gradient − delta). Either may be written over what it is made of.
 */
template <typename Number>
void softmaxGradient(float scale, const float* inverseSums, const float* delta, int64_t count, const float* powers,
                     const float* gradient, Number* probabilities, Number* scoreGradient) {
  for (int64_t row = 0; row < count; row++) {
    for (int64_t at = row * kPanel; at < (row + 1) * kPanel; at += kLanes) {
      const Lanes probability = load(powers + at) * inverseSums[row];
      const Lanes ofScore = (load(gradient + at) - delta[row]) * probability * scale;
      storeNumbers(probabilities + at, probability);
      storeNumbers(scoreGradient + at, ofScore);
    }
  }
}

/** Some columns of a head as a left operand: where they fill panels as they lie, else packed. */
template <typename Arithmetic, typename ColumnsOf>
Left<Arithmetic> leftOfHead(const Panels<Kept<Arithmetic>>& from, int64_t width, ColumnsOf columnsOf, int64_t row,
                            int64_t rows, Scratch& scratch) {
  const HeadColumns all = columnsOf(0);
  if (all.first % kPanel == 0 && width % kPanel == 0)
    return leftOf<Arithmetic>(from, all.first / kPanel, row, rows, Columns{width}, scratch);
  const int64_t panels = ceilDivide(width, kPanel);
  const Left<Arithmetic> left = takeLeft<Arithmetic>(scratch, rows, panels);
  for (int64_t i = 0; i < panels; i++) packLeft(gather(from, columnsOf(i), row, rows, scratch), left, i);
  return left;
}

/** Reads queries, keys and values of one head from `panels` and writes there what they attend to. */
template <typename Arithmetic>
void attend(const AttentionArguments& of, const HeadPanels& heads, const Panels<Kept<Arithmetic>>& panels, int64_t head,
            int64_t first, Scratch& scratch) {
  using Number = Kept<Arithmetic>;
  const int64_t tokens = of.tokens, keyPanels = ceilDivide(tokens, kPanel);
  const Left<Arithmetic> queries = leftOfHead<Arithmetic>(
      panels, heads.keyWidth, [&](int64_t i) { return heads.query(head, i); }, first, tokens, scratch);
  const Right<Arithmetic> keys = takeRight<Arithmetic>(scratch, heads.narrow(), keyPanels);
  const Right<Arithmetic> values = takeRight<Arithmetic>(scratch, keyPanels, heads.wide());
  for (int64_t i = 0; i < heads.narrow(); i++)
    packRightTransposed(gather(panels, heads.key(head, i), first, tokens, scratch), keys, i);
  for (int64_t i = 0; i < heads.wide(); i++)
    packRight(gather(panels, heads.value(head, i), first, tokens, scratch), values, i);

  const int64_t most = std::min(tokens, kQueriesAtOnce);
  const Panels<float> scores = takePanels<float>(scratch, keyPanels, most);
  const Panels<Number> powers = takePanels<Number>(scratch, keyPanels, most);
  float* const sums = scratch.take<float>(most);
  float* const panel = scratch.take<float>(roundUp(most, kTile) * kPanel);
  for (int64_t query = 0; query < tokens; query += kQueriesAtOnce) {
    const int64_t count = std::min(kQueriesAtOnce, tokens - query);
    for (int64_t j = 0; j < keyPanels; j++)
      product(queries, query / kTile, count, keys, j, DepthRange(heads.keyWidth), scores.at(j), false,
              std::min(kPanel, tokens - j * kPanel));
    exponentiate<Arithmetic>(of, first, scores, query, count, powers, sums);
    const Left<Arithmetic> weights = leftOf<Arithmetic>(powers, 0, 0, count, Columns{keyPanels * kPanel}, scratch);
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
                  const Panels<Kept<Arithmetic>>& attendedGradient, const Panels<Kept<Arithmetic>>& projected,
                  int64_t head, int64_t first, Scratch& scratch) {
  using Number = Kept<Arithmetic>;
  const int64_t tokens = of.tokens, keyPanels = ceilDivide(tokens, kPanel);
  const auto query = [&](int64_t i) { return heads.query(head, i); };
  const auto outputOf = [&](int64_t i) { return heads.attendedAlone(head, i); };
  const Left<Arithmetic> queries = leftOfHead<Arithmetic>(kept, heads.keyWidth, query, first, tokens, scratch);
  const Left<Arithmetic> outputs =
      leftOfHead<Arithmetic>(attendedGradient, heads.valueWidth, outputOf, first, tokens, scratch);   // dO
  const Right<Arithmetic> keys = takeRight<Arithmetic>(scratch, heads.narrow(), keyPanels);       // Kᵀ
  const Right<Arithmetic> values = takeRight<Arithmetic>(scratch, heads.wide(), keyPanels);       // Vᵀ
  const Right<Arithmetic> keyRows = takeRight<Arithmetic>(scratch, keyPanels, heads.narrow());    // K
  float* const delta = scratch.take<float>(tokens);                                     // rows of dO·O
  std::fill(delta, delta + tokens, 0.0f);
  for (int64_t i = 0; i < heads.narrow(); i++) {
    const PanelOf<Number> key = gather(kept, heads.key(head, i), first, tokens, scratch);
    packRightTransposed(key, keys, i);
    packRight(key, keyRows, i);
  }
  for (int64_t i = 0; i < heads.wide(); i++) {
    packRightTransposed(gather(kept, heads.value(head, i), first, tokens, scratch), values, i);
    addDelta(gather(attendedGradient, outputOf(i), first, tokens, scratch),
             gather(kept, heads.attended(head, i), first, tokens, scratch), delta);
  }

  const int64_t most = std::min(tokens, kQueriesAtOnce), queryTiles = ceilDivide(most, kPanel);
  const Panels<float> powers = takePanels<float>(scratch, keyPanels, most);
  const Panels<Number> scores = takePanels<Number>(scratch, keyPanels, most);  // dS
  Number* const probabilities = scratch.take<Number>(most * kPanel);
  float* const panel = scratch.take<float>(roundUp(most, kTile) * kPanel);
  float* const sums = scratch.take<float>(most);
  const Left<Arithmetic> weightColumns = takeLeft<Arithmetic>(scratch, keyPanels * kPanel, queryTiles);  // Pᵀ
  const Left<Arithmetic> scoreColumns = takeLeft<Arithmetic>(scratch, keyPanels * kPanel, queryTiles);   // dSᵀ
  const Right<Arithmetic> rightRows = takeRight<Arithmetic>(scratch, queryTiles, 1);
  const Panels<float> keySums = takePanels<float>(scratch, heads.narrow(), tokens);
  const Panels<float> valueSums = takePanels<float>(scratch, heads.wide(), tokens);

  for (int64_t from = 0; from < tokens; from += kQueriesAtOnce) {
    const int64_t count = std::min(kQueriesAtOnce, tokens - from);
    for (int64_t j = 0; j < keyPanels; j++)
      product(queries, from / kTile, count, keys, j, DepthRange(heads.keyWidth), powers.at(j), false,
              std::min(kPanel, tokens - j * kPanel));
    exponentiate<Arithmetic>(of, first, powers, from, count, powers, sums);
    for (int64_t row = 0; row < count; row++) sums[row] = inverseOf(sums[row]);
    for (int64_t j = 0; j < keyPanels; j++) {
      product(outputs, from / kTile, count, values, j, DepthRange(heads.valueWidth), panel);
      softmaxGradient(of.scale, sums, delta + from, count, powers.at(j), panel, probabilities, scores.at(j));
      packLeftTransposed(viewOf(scores, j, 0, count, kPanel), scoreColumns, j);
      packLeftTransposed(PanelOf<Number>{probabilities, kPanel, count, kPanel}, weightColumns, j);
    }

    const Left<Arithmetic> scoreRows = leftOf<Arithmetic>(scores, 0, 0, count, Columns{keyPanels * kPanel}, scratch);
    for (int64_t i = 0; i < heads.narrow(); i++) {
      product(scoreRows, 0, count, keyRows, i, DepthRange(tokens), panel);
      scatter(panel, count, projected, query(i), first + from);
    }
    const auto addColumns = [&](const Left<Arithmetic>& left, int64_t wide, const auto& source, auto columnsOf,
                                const Panels<float>& into) {
      for (int64_t i = 0; i < wide; i++) {
        packRight(gather(source, columnsOf(i), first + from, count, scratch), rightRows, 0);
        product(left, 0, tokens, rightRows, 0, DepthRange(count), into.at(i), from > 0);
      }
    };
    addColumns(weightColumns, heads.wide(), attendedGradient, outputOf, valueSums);
    addColumns(scoreColumns, heads.narrow(), kept, query, keySums);
  }
  for (int64_t i = 0; i < heads.narrow(); i++) scatter(keySums.at(i), tokens, projected, heads.key(head, i), first);
  for (int64_t i = 0; i < heads.wide(); i++) scatter(valueSums.at(i), tokens, projected, heads.value(head, i), first);
}

}  // namespace winnow
