#pragma once
// x + output(attention(query, key, value of norm(x))) and its gradient. Scores exist for one head and some hundred queries
// at a time, in the core's cache; kept for the backward pass are queries, keys, values and what was attended.
#include "short-heads.h"

namespace winnow {

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
      product<planes>(input, 0, rowTiles, projections, index, {0, embed.panels()}, panel);
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

  const bool isShort = tokens <= kShortSequence;
  parallelFor<TileSession>(of.threads, of.batch * heads.heads, [&](int64_t index, Scratch& scratch) {
    const int64_t head = index % heads.heads, first = index / heads.heads * tokens;
    if (isShort) attendShort(of, heads, panels, head, first, scratch);
    else attend<planes>(of, heads, panels, head, first, scratch);
  });

  parallelFor<TileSession>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), count = blocks.count(block), rowTiles = ceilDivide(count, kTile);
    float* const panel = scratch.take<float>(rowTiles * kTile * kPanel);
    const Left<planes> attended = takeLeft<planes>(scratch, count, of.output.in.panels());
    for (int64_t j = 0; j < of.output.in.panels(); j++)
      packLeft<planes>(viewOf(panels, heads.attended(0) + j, first, count, kPanel, scratch), attended, j);
    for (int64_t j = 0; j < embed.panels(); j++) {
      product<planes>(attended, 0, rowTiles, output, j, {0, of.output.in.panels()}, panel);
      addResidual(of.output, j, panel, count, of.x + first * embed.total(), y + first * embed.total());
    }
  });
}

struct AttentionGradients {
  float *x, *normWeight, *normBias, *queryWeight, *queryBias, *keyWeight, *keyBias, *valueWeight, *valueBias,
      *outputWeight, *outputBias;
};

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
      product<planes>(outputLeft, 0, rowTiles, output, j, {0, embed.panels()}, panel);
      std::memcpy(attendedGradient.at(j, first), panel, count * kPanel * sizeof(float));
    }
  });

  const bool isShort = of.tokens <= kShortSequence;
  parallelFor<TileSession>(of.threads, of.batch * heads.heads, [&](int64_t index, Scratch& scratch) {
    const int64_t head = index % heads.heads, first = index / heads.heads * of.tokens;
    if (isShort) shortHeadGradient(of, heads, kept, attendedGradient, projected, head, first, scratch);
    else headGradient<planes>(of, heads, kept, attendedGradient, projected, head, first, scratch);
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
      product<planes>(left, 0, rowTiles, projections, j, {0, heads.projected()}, panel);
      takeGradientPanel(of.norm, normalized, j, count, panel, scaled, normSums, block);
    }
    normGradient(of.norm, normalized, scaled, count, dy + first * embed.total(), gradients.x + first * embed.total());
  });

  const auto projectedFrom = [&](int64_t panel) {
    return Right<planes>{projecteds.tile(panel, 0), projecteds.depthTiles};
  };
  multiplyGradients<planes>(of.threads,
                            {{inputs, projectedFrom(heads.query(0)), embed, of.query.out, gradients.queryWeight},
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
