package dev.jformer.model;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.reduction.TokenBatch;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.nn.Residual;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Blocks in which every token sees all others, with what comes before the first and after the last.
 */
public final class TransformerStack extends Module {
  /**
   * What it is made of.
   *
   * @param rows in how many rows the tokens stand; see {@link BlockContext}
   * @param inputNorm the normalisation of what enters the first block, after the positions
   */
  public record Plan(
      int layers,
      int width,
      int length,
      int rows,
      Position.Config position,
      Norm.Config inputNorm,
      TokenMixer.Config mixer,
      ChannelMixer.Config ffn,
      Norm.Config norm,
      NormPlacement placement,
      boolean bias,
      double dropout,
      Residual residual,
      BlockContext.Init init,
      Projection projection) {
    /** Checks what all models that have a trunk must. */
    public static void check(int layers, int width, double dropout, Object... parts) {
      positive("layers", layers);
      positive("width", width);
      if (!(dropout >= 0 && dropout < 1)) {
        throw new IllegalArgumentException(
            "dropout is " + dropout + ": expected a probability in [0, 1)");
      }
      given(parts);
    }

    /** Checks that parts are there. */
    static void given(Object... parts) {
      for (Object part : parts) {
        if (part == null) {
          throw new IllegalArgumentException("no part of the model may be null");
        }
      }
    }

    public static void positive(String name, int value) {
      if (value < 1) {
        throw new IllegalArgumentException(name + " is " + value + ": expected at least 1");
      }
    }

    private BlockContext site(int layer) {
      return new BlockContext(
          width, layer, layers, length, false, bias, dropout, init, projection, rows);
    }
  }

  private final long length;
  private final Slot<Position> position;
  private final Slot<Layer> inputNorm;
  private final Slot<Layer> dropout;
  private final List<Slot<Block>> blocks;
  private final Slot<Layer> norm;

  public TransformerStack(Plan plan) {
    this.length = plan.length();
    int heads = plan.mixer().heads();
    if (plan.width() % heads != 0) {
      throw new IllegalArgumentException(
          "heads is " + heads + ": expected a divisor of the width " + plan.width());
    }
    Position encoding =
        plan.position().build(plan.width(), heads, plan.width() / heads, plan.length());
    this.position = child("position", Position.class, encoding);
    this.inputNorm = child("inputNorm", Layer.class, plan.inputNorm().build(plan.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(plan.dropout()));
    List<Block> made = new ArrayList<>();
    for (int layer = 0; layer < plan.layers(); layer++) {
      made.add(
          Block.of(
              plan.site(layer),
              plan.placement(),
              plan.norm(),
              plan.mixer(),
              plan.ffn(),
              encoding,
              plan.residual()));
    }
    this.blocks = children("blocks", Block.class, made);
    boolean last = plan.placement() == NormPlacement.PRE;
    this.norm = child("norm", Layer.class, last ? plan.norm().build(plan.width()) : new Identity());
  }

  public List<Block> blocks() {
    return blocks.stream().map(Slot::get).toList();
  }

  /**
   * The final hidden states.
   *
   * @param x [B, T, D], what each token is
   * @param paddingMask bool [B, T], false where a token is padding that no other may see; or null
   * @return fewer tokens, where the mixer lets some go
   * @throws IllegalArgumentException if a sequence is longer than the model can take
   */
  public TokenBatch forward(Tensor x, Tensor paddingMask) {
    if (x.size(1) > length && !position.get().extrapolates()) {
      throw new IllegalArgumentException(
          "a sequence of " + x.size(1) + " tokens is longer than the model's length " + length);
    }
    Tensor input = inputNorm.get().forward(position.get().embed(x, 0));
    TokenBatch h = new TokenBatch(dropout.get().forward(input), paddingMask, null);
    try (Position.Pass pass = position.get().pass()) {
      for (Slot<Block> block : blocks) {
        h = block.get().forward(h);
      }
    }
    return new TokenBatch(norm.get().forward(h.x()), h.paddingMask(), h.sizes());
  }
}
