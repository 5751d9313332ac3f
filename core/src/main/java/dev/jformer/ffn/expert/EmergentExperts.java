package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.ffn.Mlp;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.JoinedLayers;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Slot;
import dev.jformer.nn.internal.Derived;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * An emergent mixture of experts (EMoE), of <a href="https://arxiv.org/abs/2310.10908">Emergent
 * Mixture-of-Experts: Can Dense Pre-trained Transformers Benefit from Emergent Modular
 * Structures?</a>. It is a two-layer perceptron whose hidden units are split into N experts of one
 * size. For each token the k experts run whose mean weight vector has the largest product with it;
 * their outputs are added as they are, {@code y = Σ_e W₂[:, e] a(W₁[e, :] x + b₁[e]) + b₂} over the
 * chosen experts e, so with k = N this is the perceptron. There is no weight beside the
 * perceptron's, and no gradient through the choice.
 *
 * <p>Weights are stored in the perceptron's own order; the buffer {@code members} [N, hidden / N]
 * holds the units of each expert. In training, every pass reorders the weights by expert and
 * recomputes the mean vectors of the gate; in inference both are computed once and kept.
 */
public final class EmergentExperts extends ChannelMixer implements JoinedLayers {
  /**
   * Configuration.
   *
   * @param activation between the two layers
   * @param expand hidden width as a multiple of D
   * @param hidden hidden width; 0 for {@code expand * D}
   * @param experts N, a divisor of the hidden width. The authors take 64; on CPUs, where tokens are
   *     gathered for each expert, fewer and larger ones are faster
   * @param active k, experts for each token
   * @param gated whether the perceptron is gated, as in {@link GatedMlp}; the input weights of a
   *     unit are then those of its gate, as in the authors' models of Llama's kind
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(
      Activation activation, double expand, int hidden, int experts, int active, boolean gated)
      implements ChannelMixer.Config {
    /** Defaults: four of eight experts. */
    public Config() {
      this(Activation.GELU, 4, 0, 8, 4, false);
    }

    /** Experts of a perceptron without a gate. */
    public Config(Activation activation, double expand, int hidden, int experts, int active) {
      this(activation, expand, hidden, experts, active, false);
    }

    /** Checks the values. */
    public Config {
      new Mlp.Config(activation, expand, hidden);
      Checks.atLeast("experts", experts, 1);
      if (active < 1 || active > experts) {
        throw new IllegalArgumentException(
            "active is " + active + ": expected 1 to " + experts + ", the number of experts");
      }
    }

    /** The perceptron that this equals with all experts. */
    public ChannelMixer.Config dense() {
      return gated
          ? new GatedMlp.Config(activation, expand, hidden)
          : new Mlp.Config(activation, expand, hidden);
    }

    private int units(int width) {
      if (gated) {
        return new GatedMlp.Config(activation, expand, hidden).hiddenFor(width);
      }
      return hidden > 0 ? hidden : (int) Math.max(1, Math.ceil(width * expand - 1e-9));
    }

    @Override
    public String type() {
      return "emergent-experts";
    }

    @Override
    public ChannelMixer build(BlockContext context) {
      return new EmergentExperts(this, context);
    }
  }

  private final Config config;
  private final Slot<Layer> up;
  private final Slot<Layer> down;
  private final Slot<Layer> dropout;
  private final Parameter members;
  private final Derived<Parts> kept = new Derived<>(parts -> all(parts).forEach(Tensor::close));

  EmergentExperts(Config config, BlockContext context) {
    if (!(context.projection() instanceof Linear.Config)) {
      throw new IllegalArgumentException(
          "emergent experts need plain linear layers, but the projection is '"
              + context.projection().type()
              + "': make the model dense again first");
    }
    int width = context.width();
    int hidden = config.units(width);
    if (hidden % config.experts() != 0) {
      throw new IllegalArgumentException(
          "experts is " + config.experts() + ": expected a divisor of the hidden width " + hidden);
    }
    this.config = config;
    this.up =
        config.gated()
            ? child("gateUp", Layer.class, context.linear(width, 2L * hidden))
            : child("up", Layer.class, context.linear(width, hidden));
    this.down = child("down", Layer.class, context.residual(hidden, width));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
    this.members =
        buffer(
            "members", Tensor.arange(0, hidden).view(config.experts(), hidden / config.experts()));
  }

  @Override
  public Map<String, List<Long>> joinedRows() {
    long units = members.value().elements();
    return config.gated() ? Map.of("gateUp", List.of(units, units)) : Map.of();
  }

  /** The configuration. */
  public Config config() {
    return config;
  }

  /** The input weights of the units, or of their gates: [hidden, D]. */
  public Tensor keys() {
    Tensor rows = ((Linear) up.get()).weight().value();
    return config.gated() ? rows.narrow(0, 0, rows.size(0) / 2) : rows;
  }

  /**
   * Assigns units to experts.
   *
   * @param units [N][hidden / N], each unit once
   */
  public void assign(long[][] units) {
    long[] flat = Arrays.stream(units).flatMapToLong(Arrays::stream).toArray();
    long[] sorted = flat.clone();
    Arrays.sort(sorted);
    boolean fits = units.length == config.experts() && sorted.length == members.value().elements();
    for (int i = 0; fits && i < sorted.length; i++) {
      fits = sorted[i] == i;
    }
    if (!fits || Arrays.stream(units).anyMatch(u -> u.length != units[0].length)) {
      throw new IllegalArgumentException(
          "expected each of "
              + members.value().elements()
              + " units in one of "
              + config.experts()
              + " experts of equal size");
    }
    members.copyFrom(Tensor.of(flat, members.value().shape().toArray()));
    forget();
  }

  /**
   * The weights in the experts' order.
   *
   * @param up [hidden, D]; with gates [2 hidden, D], of each expert first its gates
   * @param bias [hidden] or [2 hidden], or null
   * @param down [D, hidden]
   * @param gate [N, D], mean of each expert's rows of {@code up}
   */
  private record Parts(Tensor up, Tensor bias, Tensor down, Tensor gate) {}

  @Override
  public Tensor forward(Tensor x) {
    if (config.active() == config.experts()) {
      return dropout.get().forward(down.get().forward(hidden(up.get().forward(x))));
    }
    Tensor flat = x.reshape(-1, x.size(-1));
    Parts parts = parts();
    int size = Math.toIntExact(members.value().size(1));
    Tensor sum =
        choose(flat, parts)
            .run(
                flat,
                (e, tokens) -> {
                  long rows = config.gated() ? 2L * size : size;
                  long first = e * rows;
                  Tensor bias = parts.bias == null ? null : parts.bias.narrow(0, first, rows);
                  Tensor made = Functional.linear(tokens, parts.up.narrow(0, first, rows), bias);
                  return Functional.linear(
                      hidden(made), parts.down.narrow(1, (long) e * size, size), null);
                });
    Parameter offset = ((Linear) down.get()).bias();
    Tensor y = offset == null ? sum : sum.add(offset.value());
    return dropout.get().forward(y.view(x.shape().toArray()));
  }

  /** The hidden units from the first layer's output, in which gates come first. */
  private Tensor hidden(Tensor made) {
    if (!config.gated()) {
      return config.activation().apply(made);
    }
    List<Tensor> halves = made.chunk(2, -1);
    return config.activation().apply(halves.get(0)).mul(halves.get(1));
  }

  /** Chooses the experts of tokens [n, D]. */
  private Routing choose(Tensor tokens, Parts parts) {
    try (Mode mode = Autograd.noGrad();
        Mode precise = Autograd.autocast(DType.BFLOAT16, false)) {
      Tensor scores = tokens.detach().to(parts.gate.dtype()).matmul(parts.gate.t());
      Tensor chosen = scores.topK(config.active(), -1).indices();
      return Routing.of(config.experts(), chosen, null);
    }
  }

  private Parts parts() {
    if (Autograd.isEnabled()) {
      return ordered();
    }
    Parameter bias = ((Linear) up.get()).bias();
    return kept.get(
        () -> {
          Parts parts = ordered();
          all(parts).forEach(Tensor::keep);
          return parts;
        },
        ((Linear) up.get()).weight().value(),
        bias == null ? null : bias.value(),
        ((Linear) down.get()).weight().value(),
        members.value());
  }

  private Parts ordered() {
    Linear first = (Linear) up.get();
    Linear second = (Linear) down.get();
    Tensor own = members.value();
    Tensor order = own.flatten(0, 1);
    Tensor both =
        config.gated() ? Tensor.cat(1, own, own.add(order.elements())).flatten(0, 1) : order;
    Tensor gate =
        keys().detach().indexSelect(0, order).unflatten(0, own.shape().toArray()).mean(1, false);
    return new Parts(
        first.weight().value().indexSelect(0, both),
        first.bias() == null ? null : first.bias().value().indexSelect(0, both),
        second.weight().value().indexSelect(1, order),
        gate);
  }

  private static List<Tensor> all(Parts parts) {
    return parts.bias == null
        ? List.of(parts.up, parts.down, parts.gate)
        : List.of(parts.up, parts.bias, parts.down, parts.gate);
  }

  @Override
  public long derivedBytes() {
    return kept.bytes(
        parts -> all(parts).stream().mapToLong(t -> t.elements() * t.dtype().bytes()).sum());
  }

  @Override
  protected void forget() {
    kept.forget();
  }
}
