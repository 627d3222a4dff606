#pragma once
// x + output(attention(query, key, value of norm(x))) and its gradient. Scores exist for one head and some hundred queries
// at a time, in the core's cache; kept for the backward pass are queries, keys, values and what was attended.
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

/** How many numbers the forward pass keeps. */
inline int64_t keptByAttention(const AttentionArguments& of) { return HeadPanels(of).all() * of.rows() * kPanel; }

/** Queries, keys and values as one list of panels: body(weight, its panel) for the panel of that index. */
template <typename Body>
void atProjection(const AttentionArguments& of, int64_t index, Body body) {
  for (const Weight* each : {&of.query, &of.key, &of.value}) {
    if (index < each->out.panels()) return body(*each, index);
    index -= each->out.panels();
  }
}

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

/** @param kept may be null: then nothing is kept, and `scratch` holds what the next phase reads. */
template <int planes>
void attentionForward(const AttentionArguments& of, float* y, Kept<planes>* kept, Scratch& shared) {
  using Number = Kept<planes>;
  const Columns embed = of.query.in;
  const HeadPanels heads(of);
  const int64_t rows = of.rows(), tokens = of.tokens;
  const Panels<Number> panels{kept != nullptr ? kept : shared.take<Number>(heads.all() * rows * kPanel), rows};

  const Right<planes> projections = takeRight<planes>(shared, embed.panels(), heads.projected());
  const Right<planes> output = takeRight<planes>(shared, of.output.in.panels(), embed.panels());
  parallelFor<TileSession>(of.threads, heads.projected() + embed.panels(), [&](int64_t index, Scratch&) {
    if (index >= heads.projected()) return packWeight<planes>(of.output, output, index - heads.projected());
    atProjection(of, index, [&](const Weight& weight, int64_t panel) {
      const Right<planes> from{projections.tile(index - panel, 0), projections.depthTiles};
      packWeight<planes>(weight, from, panel);
    });
  });

  const RowBlocks blocks = RowBlocks::of(rows, of.threads);
  parallelFor<TileSession>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), count = blocks.count(block), rowTiles = ceilDivide(count, kTile);
    float* const panel = scratch.take<float>(rowTiles * kTile * kPanel);
    const Normalized normalized = Normalized::take(scratch, count, embed.total());
    normalize(of.norm, of.x + first * embed.total(), count, normalized);
    const Left<planes> input = takeLeft<planes>(scratch, count, embed.panels());
    for (int64_t j = 0; j < embed.panels(); j++)
      packLeft<planes>(scaledPanel(of.norm, normalized, j, count, panel), input, j);
    for (int64_t index = 0; index < heads.projected(); index++) {
      product<planes>(input, 0, rowTiles, projections, index, embed.panels(), panel);
      atProjection(of, index, [&](const Weight& weight, int64_t j) {
        const float* const bias = weight.bias + weight.out.first(j);
        for (int half = 0; half < 2; half++) {
          const Lanes added = loadFirst(bias + half * kLanes, weight.out.count(j) - half * kLanes);
          Number* const to = panels.at(index, first) + half * kLanes;
          const float* const from = panel + half * kLanes;
          for (int64_t row = 0; row < count; row++)
            storeNumbers(to + row * kPanel, load(from + row * kPanel) + added);
        }
      });
    }
  });

  const int64_t keyPanels = ceilDivide(tokens, kPanel);
  parallelFor<TileSession>(of.threads, of.batch * heads.heads, [&](int64_t index, Scratch& scratch) {
    const int64_t head = index % heads.heads, first = index / heads.heads * tokens;
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
        product<planes>(queries, query / kTile, rowTiles, keys, j, heads.narrow, scores + j * most * kPanel);
      exponentiate(of, scores, query, count, most * kPanel, sums);
      for (int64_t j = 0; j < keyPanels; j++)
        packLeft<planes>({scores + j * most * kPanel, kPanel, count, kPanel}, weights, j);
      for (int64_t i = 0; i < heads.wide; i++) {
        product<planes>(weights, 0, rowTiles, values, i, keyPanels, panel);
        Number* const to = panels.at(heads.attended(head) + i, first + query);
        for (int64_t row = 0; row < count; row++) {
          const float inverse = 1.0f / sums[row];
          for (int64_t at = row * kPanel; at < (row + 1) * kPanel; at += kLanes)
            storeNumbers(to + at, load(panel + at) * inverse);
        }
      }
    }
  });

  parallelFor<TileSession>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), count = blocks.count(block), rowTiles = ceilDivide(count, kTile);
    float* const panel = scratch.take<float>(rowTiles * kTile * kPanel);
    const Left<planes> attended = takeLeft<planes>(scratch, count, of.output.in.panels());
    for (int64_t j = 0; j < of.output.in.panels(); j++)
      packLeft<planes>(viewOf(panels, heads.attended(0) + j, first, count, kPanel, scratch), attended, j);
    for (int64_t j = 0; j < embed.panels(); j++) {
      product<planes>(attended, 0, rowTiles, output, j, of.output.in.panels(), panel);
      addResidual(of.output, j, panel, count, of.x + first * embed.total(), y + first * embed.total());
    }
  });
}

struct AttentionGradients {
  float *x, *normWeight, *normBias, *queryWeight, *queryBias, *keyWeight, *keyBias, *valueWeight, *valueBias,
      *outputWeight, *outputBias;
};

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
    const PanelView attended = viewOf(kept, heads.attended(head) + i, first, tokens, kPanel, scratch);
    for (int64_t row = 0; row < tokens; row++)
      delta[row] += sumOf((Lanes)output.half(row, 0) * (Lanes)attended.half(row, 0) +
                          (Lanes)output.half(row, 1) * (Lanes)attended.half(row, 1));
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
      product<planes>(queries, query / kTile, rowTiles, keys, j, heads.narrow, weights + j * most * kPanel);
    exponentiate(of, weights, query, count, most * kPanel, sums);
    for (int64_t row = 0; row < count; row++) sums[row] = 1.0f / sums[row];
    for (int64_t j = 0; j < keyPanels; j++) {
      float* const weight = weights + j * most * kPanel;
      product<planes>(outputs, query / kTile, rowTiles, values, j, heads.wide, panel);
      for (int64_t row = 0; row < count; row++) {
        for (int64_t at = row * kPanel; at < (row + 1) * kPanel; at += kLanes) {
          const Lanes probability = load(weight + at) * sums[row];
          store(weight + at, probability);
          store(panel + at, (load(panel + at) - delta[query + row]) * probability * of.scale);
        }
      }
      const PanelView gradient{panel, kPanel, count, kPanel};
      packLeft<planes>(gradient, scores, j);
      packLeftTransposed<planes>(gradient, scoreColumns, j);
      packLeftTransposed<planes>({weight, kPanel, count, kPanel}, weightColumns, j);
    }

    for (int64_t i = 0; i < heads.narrow; i++) {
      product<planes>(scores, 0, rowTiles, keyRows, i, keyPanels, panel);
      std::memcpy(projected.at(heads.query(head) + i, first + query), panel, count * kPanel * sizeof(float));
    }
    const auto addColumns = [&](const Left<planes>& left, int64_t from, int64_t into, const auto& source, int64_t wide) {
      for (int64_t i = 0; i < wide; i++)
        packRight<planes>(viewOf(source, from + i, first + query, count, kPanel, scratch), rightRows, i);
      for (int64_t i = 0; i < wide; i++) {
        product<planes>({left.data, left.depthTiles}, 0, ceilDivide(tokens, kTile), rightRows, i, depth, panel);
        float* const to = projected.at(into + i, first);
        for (int64_t at = 0; at < tokens * kPanel; at += kLanes)
          store(to + at, query == 0 ? load(panel + at) : load(to + at) + load(panel + at));
      }
    };
    addColumns(weightColumns, head * heads.wide, heads.value(head), attendedGradient, heads.wide);
    addColumns(scoreColumns, heads.query(head), heads.key(head), kept, heads.narrow);
  }
}

template <int planes>
void attentionBackward(const AttentionArguments& of, const float* dy, Kept<planes>* keptNumbers,
                       const AttentionGradients& gradients, Scratch& shared) {
  const Columns embed = of.query.in, inner = of.output.in;
  const HeadPanels heads(of);
  const int64_t rows = of.rows();
  const Panels<Kept<planes>> kept{keptNumbers, rows};
  const Panels<float> attendedGradient{shared.take<float>(inner.panels() * rows * kPanel), rows};
  const Panels<float> projected{shared.take<float>(heads.projected() * rows * kPanel), rows};

  const Right<planes> projections = takeRight<planes>(shared, heads.projected(), embed.panels());  // Wᵀ, all three
  const Right<planes> output = takeRight<planes>(shared, embed.panels(), inner.panels());          // Wᵀ
  parallelFor<TileSession>(of.threads, inner.panels() + embed.panels(), [&](int64_t index, Scratch&) {
    if (index < inner.panels()) return packWeightTransposed<planes>(of.output, output, index);
    int64_t depth = 0;
    for (const Weight* each : {&of.query, &of.key, &of.value}) {
      packWeightTransposed<planes>(*each, projections, index - inner.panels(), depth);
      depth += each->out.panels();
    }
  });

  const RowBlocks blocks = RowBlocks::of(rows, of.threads);
  const int64_t depth = blocks.units();
  // Operands of the weights' gradients, which sum over all rows.
  const Left<planes> inputs = takeLeft<planes>(shared, embed.panels() * kPanel, depth);
  const Left<planes> attendeds = takeLeft<planes>(shared, inner.panels() * kPanel, depth);
  const Right<planes> outputs = takeRight<planes>(shared, depth, embed.panels());
  const Right<planes> projecteds = takeRight<planes>(shared, depth, heads.projected());
  const NormSums normSums = NormSums::take(shared, embed.total(), blocks.blocks);
  const ColumnSums outputBias = ColumnSums::take(shared, embed.total(), blocks.blocks);
  const ColumnSums projectionBias = ColumnSums::take(shared, heads.projected() * kPanel, blocks.blocks);

  parallelFor<TileSession>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), count = blocks.count(block), rowTiles = ceilDivide(count, kTile);
    const Left<planes> outputLeft = takeLeft<planes>(scratch, count, embed.panels());
    for (int64_t j = 0; j < embed.panels(); j++) {
      const PanelView view{dy + first * embed.total() + j * kPanel, embed.total(), count, embed.count(j)};
      packLeft<planes>(view, outputLeft, j);
      packRight<planes>(view, outputs, j, first / kPanel);
      outputBias.set(block, j * kPanel, view);
    }
    float* const panel = scratch.take<float>(rowTiles * kTile * kPanel);
    for (int64_t j = 0; j < inner.panels(); j++) {
      packLeftTransposed<planes>(viewOf(kept, heads.attended(0) + j, first, count, kPanel, scratch), attendeds, j,
                                 first / kPanel);
      product<planes>(outputLeft, 0, rowTiles, output, j, embed.panels(), panel);
      std::memcpy(attendedGradient.at(j, first), panel, count * kPanel * sizeof(float));
    }
  });

  parallelFor<TileSession>(of.threads, of.batch * heads.heads, [&](int64_t index, Scratch& scratch) {
    headGradient<planes>(of, heads, kept, attendedGradient, projected, index % heads.heads,
                         index / heads.heads * of.tokens, scratch);
  });

  parallelFor<TileSession>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), count = blocks.count(block), rowTiles = ceilDivide(count, kTile);
    const int64_t depthTile = first / kPanel;
    float* const panel = scratch.take<float>(rowTiles * kTile * kPanel);
    const Normalized normalized = Normalized::take(scratch, count, embed.total());
    normalize(of.norm, of.x + first * embed.total(), count, normalized);
    for (int64_t j = 0; j < embed.panels(); j++)
      packLeftTransposed<planes>(scaledPanel(of.norm, normalized, j, count, panel), inputs, j, depthTile);

    const Left<planes> left = takeLeft<planes>(scratch, count, heads.projected());
    for (int64_t j = 0; j < heads.projected(); j++) {
      const PanelView view{projected.at(j, first), kPanel, count, kPanel};
      packLeft<planes>(view, left, j);
      packRight<planes>(view, projecteds, j, depthTile);
      projectionBias.set(block, j * kPanel, view);
    }
    float* const scaled = scratch.take<float>(count * normalized.stride);
    for (int64_t j = 0; j < embed.panels(); j++) {
      product<planes>(left, 0, rowTiles, projections, j, heads.projected(), panel);
      takeGradientPanel(of.norm, normalized, j, count, panel, scaled, normSums, block);
    }
    normGradient(of.norm, normalized, scaled, count, dy + first * embed.total(), gradients.x + first * embed.total());
  });

  const auto projectedFrom = [&](int64_t panel) {
    return Right<planes>{projecteds.tile(panel, 0), projecteds.depthTiles};
  };
  multiplyGradients<planes>(
      of.threads, std::initializer_list<WeightGradient<planes>>{
                      {inputs, projectedFrom(heads.query(0)), embed, of.query.out, gradients.queryWeight},
                      {inputs, projectedFrom(heads.key(0)), embed, of.key.out, gradients.keyWeight},
                      {inputs, projectedFrom(heads.value(0)), embed, of.value.out, gradients.valueWeight},
                      {attendeds, outputs, inner, embed, gradients.outputWeight}});
  normSums.weight.finish(gradients.normWeight, embed.total());
  normSums.bias.finish(gradients.normBias, embed.total());
  outputBias.finish(gradients.outputBias, embed.total());
  float* const biases = shared.take<float>(heads.projected() * kPanel);
  projectionBias.finish(biases, heads.projected() * kPanel);
  float* const targets[] = {gradients.queryBias, gradients.keyBias, gradients.valueBias};
  for (int64_t index = 0; index < heads.projected(); index++) {
    atProjection(of, index, [&](const Weight& weight, int64_t panel) {
      float* const target = targets[&weight == &of.query ? 0 : &weight == &of.key ? 1 : 2];
      std::memcpy(target + weight.out.first(panel), biases + index * kPanel,
                  weight.out.count(panel) * sizeof(float));
    });
  }
}

}  // namespace winnow
