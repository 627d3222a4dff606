#pragma once
// x + output(attention(query, key, value of norm(x))) and its gradient. Scores exist for one head and some hundred
// queries at a time, in the core's cache; kept for the backward pass are queries, keys, values and what was attended.
#include "packed-operands.h"
#include "short-heads.h"
#include "weight-gradients.h"

namespace winnow {

/** How many numbers the forward pass keeps. */
inline int64_t keptByAttention(const AttentionArguments& of) {
  return HeadPanels(of).all() * of.rows() * kPanel + kRoomForTile;
}

/** Bytes of the weights as the forward pass reads them. */
template <typename Arithmetic>
int64_t packedByAttention(const AttentionArguments& of) {
  const int64_t embed = of.query.in.panels();
  return PackedOperands<Arithmetic>::bytes(embed, HeadPanels(of).projected()) +
         PackedOperands<Arithmetic>::bytes(of.output.in.panels(), embed);
}

/** A last panel's columns that do not exist become zeros, as products read whole panels. */
template <typename Number>
void clearBehind(Columns columns, const Panels<Number>& of, int64_t firstPanel, int64_t row, int64_t rows) {
  const int64_t last = columns.panels() - 1;
  if (columns.count(last) < kPanel) std::fill_n(of.at(firstPanel + last, row), rows * kPanel, Number{});
}

/** Queries, keys and values as one list of panels: body(weight, its panel) for the panel of that index. */
template <typename Body>
void atProjection(const AttentionArguments& of, int64_t index, Body body) {
  for (const Weight* each : {&of.query, &of.key, &of.value}) {
    if (index < each->out.panels()) return body(*each, index);
    index -= each->out.panels();
  }
}

/** @param kept may be null: then nothing is kept, and `scratch` holds what the next phase reads. */
template <typename Arithmetic>
void attentionForward(const AttentionArguments& of, float* y, Kept<Arithmetic>* kept, const PackedRoom& room,
                      Scratch& shared) {
  using Number = Kept<Arithmetic>;
  const Columns embed = of.query.in;
  const HeadPanels heads(of);
  const int64_t rows = of.rows(), tokens = of.tokens;
  const Panels<Number> panels{kept != nullptr ? kept : shared.take<Number>(keptByAttention(of)), rows};

  PackedOperands<Arithmetic> packed(room, shared);
  const Right<Arithmetic> projections = packed.take(embed.panels(), heads.projected());
  const Right<Arithmetic> output = packed.take(of.output.in.panels(), embed.panels());
  const int64_t unpacked = room.isPacked() ? 0 : heads.projected() + embed.panels();
  parallelFor<Arithmetic>(of.threads, unpacked, [&](int64_t index, Scratch&) {
    if (index >= heads.projected()) return packWeight(of.output, output, index - heads.projected());
    atProjection(of, index, [&](const Weight& weight, int64_t panel) {
      packWeight(weight, projections.from(index - panel), panel);
    });
  });
  room.finish();

  const RowBlocks blocks = RowBlocks::ofTiles<Arithmetic>(rows, of.threads);
  parallelFor<Arithmetic>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), count = blocks.count(block);
    float* const panel = scratch.take<float>(roundUp(count, kTile) * kPanel);
    const Panels<Number> normalized = takePanels<Number>(scratch, embed.panels(), count);
    normalizeInto(of.norm, of.x + first * embed.total(), count, normalized);
    const Left<Arithmetic> input = leftOf<Arithmetic>(normalized, 0, 0, count, embed, scratch);
    clearBehind(of.output.in, panels, heads.firstAttended(), first, count);
    for (int64_t index = 0; index < heads.projected(); index++) {
      atProjection(of, index, [&](const Weight& weight, int64_t j) {
        product(input, 0, count, projections, index, DepthRange(embed.total()), panel, false, weight.out.count(j));
        const float* const bias = weight.bias + weight.out.first(j);
        for (int64_t column = 0; column < kPanel; column += kLanes) {
          const Lanes added = loadFirst(bias + column, weight.out.count(j) - column);
          Number* const to = panels.at(index, first) + column;
          const float* const from = panel + column;
          for (int64_t row = 0; row < count; row++)
            storeNumbers(to + row * kPanel, load(from + row * kPanel) + added);
        }
      });
    }
  });

  const bool isShort = tokens <= Arithmetic::kShortSequence;
  parallelFor<Arithmetic>(of.threads, of.batch * of.heads, [&](int64_t index, Scratch& scratch) {
    const int64_t head = index % of.heads, first = index / of.heads * tokens;
    if (isShort) attendShort(of, heads, panels, head, first, scratch);
    else attend<Arithmetic>(of, heads, panels, head, first, scratch);
  });

  parallelFor<Arithmetic>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), count = blocks.count(block);
    float* const panel = scratch.take<float>(roundUp(count, kTile) * kPanel);
    const Left<Arithmetic> attended =
        leftOf<Arithmetic>(panels, heads.firstAttended(), first, count, of.output.in, scratch);
    for (int64_t j = 0; j < embed.panels(); j++) {
      product(attended, 0, count, output, j, DepthRange(of.output.in.total()), panel, false, embed.count(j));
      addResidual(of.output, j, panel, count, of.x + first * embed.total(), y + first * embed.total());
    }
  });
}

struct AttentionGradients {
  float *x, *normWeight, *normBias, *queryWeight, *queryBias, *keyWeight, *keyBias, *valueWeight, *valueBias,
      *outputWeight, *outputBias, *outputScale;
};

template <typename Arithmetic>
void attentionBackward(const AttentionArguments& of, const float* dy, Kept<Arithmetic>* keptNumbers,
                       const AttentionGradients& gradients, Scratch& shared) {
  using Number = Kept<Arithmetic>;
  const Columns embed = of.query.in, inner = of.output.in;
  const HeadPanels heads(of);
  const int64_t rows = of.rows();
  const Panels<Number> kept{keptNumbers, rows};
  const Panels<Number> attendedGradient{shared.take<Number>(inner.panels() * rows * kPanel + kRoomForTile), rows};
  const Panels<Number> projected{shared.take<Number>(heads.projected() * rows * kPanel + kRoomForTile), rows};

  // Transposed weights: of query, key and value together, and of the output.
  const Right<Arithmetic> projections = takeRight<Arithmetic>(shared, heads.projected(), embed.panels());
  const Right<Arithmetic> output = takeRight<Arithmetic>(shared, embed.panels(), inner.panels());
  parallelFor<Arithmetic>(of.threads, inner.panels() + embed.panels(), [&](int64_t index, Scratch&) {
    if (index < inner.panels()) return packWeightTransposed(of.output, output, index);
    int64_t depth = 0;
    for (const Weight* each : {&of.query, &of.key, &of.value}) {
      packWeightTransposed(*each, projections, index - inner.panels(), depth);
      depth += each->out.panels();
    }
  });

  const RowBlocks blocks = RowBlocks::ofPanels(rows, of.threads);
  const int64_t depth = blocks.units();
  // Operands of the weights' gradients, which sum over all rows.
  const Left<Arithmetic> inputs = takeLeft<Arithmetic>(shared, embed.panels() * kPanel, depth);
  const Left<Arithmetic> attendeds = takeLeft<Arithmetic>(shared, inner.panels() * kPanel, depth);
  const Right<Arithmetic> outputs = takeRight<Arithmetic>(shared, depth, embed.panels());
  const Right<Arithmetic> projecteds = takeRight<Arithmetic>(shared, depth, heads.projected());
  const NormSums normSums = NormSums::take(shared, embed.total(), blocks.blocks);
  const ColumnSums outputBias = ColumnSums::take(shared, embed.total(), blocks.blocks);
  const ColumnSums projectionBias = ColumnSums::take(shared, heads.projected() * kPanel, blocks.blocks);

  parallelFor<Arithmetic>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), count = blocks.count(block);
    const Left<Arithmetic> outputLeft = takeLeft<Arithmetic>(scratch, count, embed.panels());
    for (int64_t j = 0; j < embed.panels(); j++) {
      const PanelView view{dy + first * embed.total() + j * kPanel, embed.total(), count, embed.count(j)};
      packLeft(view, outputLeft, j);
      packRight(view, outputs, j, first / kPanel);
      outputBias.set(block, j * kPanel, view);
    }
    float* const panel = scratch.take<float>(roundUp(count, kTile) * kPanel);
    for (int64_t j = 0; j < inner.panels(); j++) {
      packLeftTransposed(viewOf(kept, heads.firstAttended() + j, first, count, inner.count(j)), attendeds, j,
                         first / kPanel);
      product(outputLeft, 0, count, output, j, DepthRange(embed.total()), panel);
      Number* const to = attendedGradient.at(j, first);
      for (int64_t at = 0; at < count * kPanel; at += kLanes) storeNumbers(to + at, load(panel + at));
    }
    clearBehind(of.query.out, projected, 0, first, count);
    clearBehind(of.key.out, projected, heads.firstKey(), first, count);
    clearBehind(of.value.out, projected, heads.firstValue(), first, count);
  });

  const bool isShort = of.tokens <= Arithmetic::kShortSequence;
  parallelFor<Arithmetic>(of.threads, of.batch * of.heads, [&](int64_t index, Scratch& scratch) {
    const int64_t head = index % of.heads, first = index / of.heads * of.tokens;
    if (isShort) shortHeadGradient(of, heads, kept, attendedGradient, projected, head, first, scratch);
    else headGradient<Arithmetic>(of, heads, kept, attendedGradient, projected, head, first, scratch);
  });

  parallelFor<Arithmetic>(of.threads, blocks.blocks, [&](int64_t block, Scratch& scratch) {
    const int64_t first = blocks.first(block), count = blocks.count(block);
    const int64_t depthTile = first / kPanel;
    float* const panel = scratch.take<float>(roundUp(count, kTile) * kPanel);
    Number* const narrow = scratch.take<Number>(count * kPanel);
    const Normalized normalized = Normalized::take(scratch, count, embed.total());
    normalize(of.norm, of.x + first * embed.total(), count, normalized);
    for (int64_t j = 0; j < embed.panels(); j++)
      packLeftTransposed(scaledPanel(of.norm, normalized, j, count, narrow), inputs, j, depthTile);

    const Left<Arithmetic> left =
        leftOf<Arithmetic>(projected, 0, first, count, Columns{heads.projected() * kPanel}, scratch);
    for (int64_t j = 0; j < heads.projected(); j++) {
      atProjection(of, j, [&](const Weight& weight, int64_t k) {
        const PanelOf<Number> view = viewOf(projected, j, first, count, weight.out.count(k));
        packRight(view, projecteds, j, depthTile);
        projectionBias.set(block, j * kPanel, view);
      });
    }
    float* const scaled = scratch.take<float>(count * normalized.stride);
    for (int64_t j = 0; j < embed.panels(); j++) {
      product(left, 0, count, projections, j, {0, heads.projected()}, panel);
      takeGradientPanel(of.norm, normalized, j, count, panel, scaled, normSums, block);
    }
    normGradient(of.norm, normalized, scaled, count, dy + first * embed.total(), gradients.x + first * embed.total());
  });

  multiplyGradients<Arithmetic>(of.threads,
                            {{inputs, projecteds, embed, of.query.out, gradients.queryWeight},
                             {inputs, projecteds.from(heads.firstKey()), embed, of.key.out, gradients.keyWeight},
                             {inputs, projecteds.from(heads.firstValue()), embed, of.value.out, gradients.valueWeight},
                             {attendeds, outputs, inner, embed, gradients.outputWeight}});
  normSums.weight.finish(gradients.normWeight, embed.total());
  normSums.bias.finish(gradients.normBias, embed.total());
  outputBias.finish(gradients.outputBias, embed.total());
  takeScale<Arithmetic>(of.output, of.threads, gradients.outputWeight, gradients.outputBias, gradients.outputScale);
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
