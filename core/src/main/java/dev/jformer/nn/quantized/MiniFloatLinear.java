package dev.jformer.nn.quantized;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.internal.Derived;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer, [..., in] to [..., out], of <a href="https://arxiv.org/abs/2310.16836">LLM-FP4:
 * 4-Bit Floating-Point Quantized Transformers</a>. Weights and activations are floating-point
 * numbers of few bits, {@link MiniFloat}s. Weights have a step for each output. Activations have
 * one for the layer; a {@linkplain Kind#PRE_SHIFTED pre-shifted} layer also has an integer k for
 * each input, by which its exponent bias is larger. So it computes {@code Q(x) Wᵀ + b} where Q
 * rounds input j in steps of {@code s 2^-k_j}.
 *
 * <p>It does so in the folded form: input j, times 2^k_j, is rounded in steps of s, and column j of
 * W is divided by 2^k_j, which adds to the exponents of its weights. All factors are powers of two,
 * so both forms are equal to the bit, and the product needs only one step. The addition to the
 * exponents of x before it remains; the paper's figures do not show that.
 *
 * <p>Weights are stored as codes, two in a byte if they have 4 bits (that of the even column in the
 * lower half), with the exponent bits of both formats, which may differ between layers. libtorch
 * multiplies floats: the first pass looks up the layer's weights in a table of 256 entries and
 * keeps them until the codes change. So the file is small, but a running model takes more memory
 * than a plain one. Looking them up in each pass would avoid that, but took fifteen to forty times
 * as long as the product for one token (layers from 256 to 1,024 and from 768 to 3,072, one core),
 * too slow to decode a language model.
 *
 * <p>The result is computed in float32, under autocast too. Rounded activations have no gradients,
 * so a layer in training refuses to run.
 */
public final class MiniFloatLinear extends Layer {
  private static final int PACKED = 4;
  private static final int BYTE = 8;

  /** How formats and steps are found. */
  public enum Kind {
    /** A baseline: symmetric integers that cover the range of calibration values. */
    INT,
    /** The usual format, covering the range of calibration values. */
    MIN_MAX,
    /** The format and range of least error: the paper's baseline. */
    SEARCHED,
    /** LLM-FP4: also an integer for each input channel. */
    PRE_SHIFTED
  }

  /**
   * Configuration.
   *
   * @param weightBits 4 or 8
   * @param activationBits 3 to 8
   * @param kind how formats and steps are found
   */
  @AutoService(Projection.class)
  public record Config(int weightBits, int activationBits, Kind kind) implements Projection {
    /** Defaults: W4A4 with pre-shifted exponent biases. */
    public Config() {
      this(PACKED, PACKED, Kind.PRE_SHIFTED);
    }

    /** Checks the values. */
    public Config {
      if (weightBits != PACKED && weightBits != BYTE) {
        throw new IllegalArgumentException("weightBits is " + weightBits + ": expected 4 or 8");
      }
      if (activationBits < 3 || activationBits > BYTE) {
        throw new IllegalArgumentException(
            "activationBits is " + activationBits + ": expected 3 to 8");
      }
      if (kind == null) {
        throw new IllegalArgumentException(
            "kind is null: expected int, min-max, searched or pre-shifted");
      }
    }

    @Override
    public String type() {
      return "llm-fp4";
    }

    @Override
    public boolean trains() {
      return false;
    }

    /** Builds a layer of zeros, which {@link #quantize} fills; nothing is drawn. */
    @Override
    public MiniFloatLinear build(long in, long out, boolean bias, Initializer initializer) {
      return new MiniFloatLinear(this, in, out, bias);
    }
  }

  private final Config config;
  private final long in;
  private final Parameter codes;
  private final Parameter weightStep;
  private final Parameter activationStep;
  private final Parameter exponents;
  private final Parameter shifts;
  private final Parameter bias;
  private final Derived<Tensor> folded = Derived.tensor();

  MiniFloatLinear(Config config, long in, long out, boolean bias) {
    this.config = config;
    this.in = in;
    this.codes = buffer("codes", Tensor.zeros(DType.UINT8, out, bytes()));
    this.weightStep = buffer("weightStep", Tensor.ones(out));
    this.activationStep = buffer("activationStep", Tensor.ones(1));
    this.exponents = buffer("exponents", Tensor.of(new byte[] {1, 1}, 2).to(DType.UINT8));
    this.shifts =
        config.kind() == Kind.PRE_SHIFTED ? buffer("shifts", Tensor.zeros(DType.UINT8, in)) : null;
    this.bias = bias ? parameter("bias", Tensor.zeros(out)) : null;
  }

  /** Number of bytes of the codes of a row. */
  private long bytes() {
    return config.weightBits() == PACKED ? (in + 1) / 2 : in;
  }

  /**
   * Rounds a layer's weights and stores them.
   *
   * @param layer a layer of the same shape
   * @param weights of steps [out, 1]
   * @param activations of steps [1]
   * @param channelShifts k, integers [in] from 0 to {@link MiniFloat#widestShift}; null unless this
   *     layer is pre-shifted
   * @throws IllegalArgumentException if these do not match this layer's configuration
   */
  public void quantize(
      Linear layer,
      MiniFloatQuantizer weights,
      MiniFloatQuantizer activations,
      Tensor channelShifts) {
    if (weights.format().bits() != config.weightBits()
        || activations.format().bits() != config.activationBits()
        || (channelShifts == null) != (shifts == null)
        || (layer.bias() == null) != (bias == null)) {
      throw new IllegalArgumentException(
          "weights of "
              + weights.format().bits()
              + " bits, activations of "
              + activations.format().bits()
              + (channelShifts == null ? ", no" : ",")
              + " shifts and "
              + (layer.bias() == null ? "no" : "a")
              + " bias do not fit a layer of "
              + config);
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor rounded = weights.inSteps(layer.weight().value().detach().to(DType.FLOAT32));
      codes.copyFrom(packed(rounded, weights.format()));
      weightStep.copyFrom(weights.step().squeeze(1));
      activationStep.copyFrom(activations.step());
      byte[] found = {(byte) weights.format().exponent(), (byte) activations.format().exponent()};
      exponents.copyFrom(Tensor.of(found, 2));
      if (shifts != null) {
        shifts.copyFrom(channelShifts);
      }
      if (bias != null) {
        bias.copyFrom(layer.bias().value().detach());
      }
    }
  }

  private Tensor packed(Tensor rounded, MiniFloat format) {
    float[] values = rounded.toFloats();
    int rows = Math.toIntExact(rounded.size(0));
    int columns = Math.toIntExact(in);
    int width = Math.toIntExact(bytes());
    int perByte = BYTE / config.weightBits();
    byte[] packed = new byte[rows * width];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        int code = format.code(values[row * columns + column]);
        int shift = column % perByte * config.weightBits();
        packed[row * width + column / perByte] |= (byte) (code << shift);
      }
    }
    return Tensor.of(packed, rows, width).viewAs(DType.UINT8);
  }

  @Override
  public Tensor forward(Tensor x) {
    if (isTraining()) {
      throw new IllegalStateException(
          "a layer of the projection llm-fp4 cannot be trained: train a model of the projection"
              + " linear, then compress it");
    }
    return Scope.tidy(
        () -> {
          try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
            Tensor input = x.to(DType.FLOAT32);
            if (shifts != null) {
              input = input.mul(MiniFloat.powersOfTwo(shift()));
            }
            Tensor rounded = new MiniFloatQuantizer(format(1), activationStep.value()).round(input);
            Tensor sum = Functional.linear(rounded, folded(), bias == null ? null : bias.value());
            return sum.to(x.dtype());
          }
        });
  }

  /** W [out, in] with the shifts of its columns folded in; recomputed only after a change. */
  private Tensor folded() {
    return folded.get(
        () -> {
          Tensor weight = weight();
          return (shifts == null ? weight : weight.mul(MiniFloat.powersOfTwo(shift().neg())))
              .keep();
        },
        codes.value(),
        weightStep.value(),
        exponents.value(),
        shifts == null ? null : shifts.value());
  }

  @Override
  public long derivedBytes() {
    return Derived.bytes(folded);
  }

  @Override
  protected void forget() {
    folded.forget();
  }

  /** W [out, in] as floats, not folded. */
  public Tensor weight() {
    return Scope.tidy(
        () -> {
          Tensor values = Functional.embedding(codes.value().to(DType.INT32), table());
          Tensor flat = values.flatten(1, 2).narrow(1, 0, in).contiguous();
          return flat.mul(weightStep.value().unsqueeze(1));
        });
  }

  /** The values of each byte: [256, weights in a byte]. */
  private Tensor table() {
    float[] values = format(0).values();
    int perByte = BYTE / config.weightBits();
    float[] table = new float[(1 << BYTE) * perByte];
    for (int i = 0; i < table.length; i++) {
      int code = (i / perByte) >> (i % perByte * config.weightBits());
      table[i] = values[code & (values.length - 1)];
    }
    return Tensor.of(table, 1 << BYTE, perByte);
  }

  /** The format of the weights. */
  public MiniFloat weightFormat() {
    return format(0);
  }

  /** The quantizer of an input [..., in] in the unfolded form: its steps are [1] or [in]. */
  public MiniFloatQuantizer activations() {
    MiniFloatQuantizer layer = new MiniFloatQuantizer(format(1), activationStep.value());
    return shifts == null ? layer : layer.shifted(shifts.value());
  }

  /**
   * Returns a layer that computes the same in the explicit form: it rounds each input channel in
   * steps of its own, and its weights are not folded. For comparison; it shares this layer's
   * tensors and is not saved.
   */
  public Layer explicit() {
    return new Explicit(this);
  }

  private static final class Explicit extends Layer {
    private final MiniFloatLinear folded;

    Explicit(MiniFloatLinear folded) {
      this.folded = folded;
    }

    @Override
    public Tensor forward(Tensor x) {
      Tensor offset = folded.bias == null ? null : folded.bias.value();
      return Functional.linear(folded.activations().round(x), folded.weight(), offset);
    }
  }

  private MiniFloat format(int which) {
    int bits = which == 0 ? config.weightBits() : config.activationBits();
    return new MiniFloat(bits, exponents.value().toBytes()[which]);
  }

  /** The shifts as signed integers, which can be negated. */
  private Tensor shift() {
    return shifts.value().to(DType.INT32);
  }

  /** The bias [out], or null. */
  public Parameter bias() {
    return bias;
  }
}
