package dev.jformer.mixer.attention;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.position.Position;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;

/**
 * Gated attention of <a href="https://arxiv.org/abs/2306.12929">Quantizable Transformers: Removing
 * Outliers by Helping Attention Heads Do Nothing</a>, softmax attention with a gate for each head
 * and token. The head's result is multiplied by {@code sigmoid(w · x_h + b)}, where x_h are the
 * head's own d channels of the mixer's input. So a head can do nothing without looking at a token
 * that says nothing.
 *
 * <p>This is the paper's linear gate, d + 1 weights a head. The weights start like the other linear
 * layers', the bias so that the gate of a zero input is {@code open}.
 */
public final class GatedAttention extends Attention {
  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param keyValueHeads G, must divide H; 0 for as many as heads
   * @param open π_init, the initial value of gates, between 0 and 1; the paper uses 0.25 to 0.9
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int keyValueHeads, double open) implements TokenMixer.Config {
    /** Defaults. */
    public Config() {
      this(4, 0, 0.5);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, keyValueHeads);
      if (!(open > 0 && open < 1)) {
        throw new IllegalArgumentException(
            "open is " + open + ": expected a share between 0 and 1");
      }
    }

    @Override
    public String type() {
      return "gated";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new GatedAttention(this, context, position);
    }
  }

  private final Parameter gateWeight;
  private final Parameter gateBias;

  GatedAttention(Config config, BlockContext context, Position position) {
    super(config.heads(), config.keyValueHeads(), context, position);
    double bias = Math.log(config.open() / (1 - config.open()));
    this.gateWeight =
        parameter(
            "gate.weight",
            Initializer.normal(context.init().deviation()).create(heads(), headDim()));
    this.gateBias = parameter("gate.bias", Initializer.constant(bias).create(heads()));
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    return SoftmaxAttention.fused(h, mask);
  }

  @Override
  protected Tensor finish(Tensor result, Tensor x) {
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
      return result.mul(gate(x.to(gateWeight.value().dtype())));
    }
  }

  /** The gate of each head for each token: [B, H, T, 1]. */
  private Tensor gate(Tensor x) {
    Tensor logits = x.unflatten(2, heads(), headDim()).mul(gateWeight.value()).sum(-1, false);
    return logits.add(gateBias.value()).sigmoid().transpose(1, 2).unsqueeze(3);
  }

  /** The softmax weights times the gate: rows sum to the gate's value. */
  @Override
  public Tensor weights(Tensor x, Tensor paddingMask) {
    return super.weights(x, paddingMask).mul(gate(x));
  }
}
