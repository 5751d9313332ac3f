package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.ScheduledModule;
import dev.jformer.nn.SequenceContext;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A mixture of experts, with the training phases of <a
 * href="https://arxiv.org/abs/2112.14397">EvoMoE: An Evolutional Mixture-of-Experts Training
 * Framework via Dense-To-Sparse Gate</a>. The experts are channel mixers of one kind, of which a
 * {@link Gate} chooses some for each token, as in <a
 * href="https://arxiv.org/abs/1701.06538">Outrageously Large Neural Networks: The Sparsely-Gated
 * Mixture-of-Experts Layer</a>. An expert computes on its own tokens only, all of them in one
 * piece, and those of a batch that are padding go to none.
 *
 * <p>Training can begin with the first expert alone, for all tokens. The others then become copies
 * of it, each with a different random part of its matrices set to zero, and the gate starts to
 * route: EvoMoE's expert-diversify phase. The paper leaves the size of the masks open.
 *
 * <p>It reports to {@link AuxiliaryLosses}, as means over layers: the load of the busiest expert as
 * a multiple of an equal share ({@code expertLoad}), experts for each token ({@code
 * expertsPerToken}), the share of routed pairs that were dropped ({@code expertDropped}), and the
 * entropy of the gate in nats ({@code gateEntropy}).
 */
public final class Experts extends ChannelMixer implements ScheduledModule {
  /**
   * How the other experts are made from the first.
   *
   * @param share share of training with the first expert alone; 0 for none
   * @param masked share of the entries of its matrices that are set to zero in each copy
   */
  public record Diversify(double share, double masked) {
    /** Default: all experts from the beginning. */
    public Diversify() {
      this(0, 0.1);
    }

    /** Checks the values. */
    public Diversify {
      Gate.share("share", share);
      Gate.share("masked", masked);
    }
  }

  /**
   * Configuration.
   *
   * @param expert the channel mixer that each expert is
   * @param count N, the number of experts
   * @param gate the gate that chooses experts
   * @param every only every so many blocks have a mixture, the others a single expert: 1 for all
   *     blocks, 2 for the second, fourth, and so on
   * @param diversify how the other experts are made from the first
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(
      ChannelMixer.Config expert, int count, Gate.Config gate, int every, Diversify diversify)
      implements ChannelMixer.Config {
    /** Defaults: eight perceptrons and the gate of the Switch Transformer in every block. */
    public Config() {
      this(new Mlp.Config(), 8, new SwitchGate.Config(), 1, new Diversify());
    }

    /** A mixture in every block, with all experts from the beginning. */
    public Config(ChannelMixer.Config expert, int count, Gate.Config gate) {
      this(expert, count, gate, 1, new Diversify());
    }

    /** Checks the values. */
    public Config {
      if (expert == null || gate == null || diversify == null) {
        throw new IllegalArgumentException("expert, gate and diversify must not be null");
      }
      if (expert instanceof Config) {
        throw new IllegalArgumentException(
            "expert is a mixture of experts itself: expected another channel mixer");
      }
      if (count < 1 || every < 1) {
        throw new IllegalArgumentException(
            "count is " + count + " and every is " + every + ": expected at least 1");
      }
    }

    @Override
    public String type() {
      return "experts";
    }

    @Override
    public ChannelMixer build(BlockContext context) {
      return (context.layer() + 1) % every == 0
          ? new Experts(this, context)
          : expert.build(context);
    }
  }

  private final Config config;
  private final List<Slot<ChannelMixer>> experts;
  private final Slot<Gate> gate;

  /** 1 once the other experts have been made; null if all exist from the beginning. */
  private final Parameter diverse;

  private Consumer<Routing> watcher;

  Experts(Config config, BlockContext context) {
    this.config = config;
    List<ChannelMixer> made = new ArrayList<>();
    for (int e = 0; e < config.count(); e++) {
      made.add(config.expert().build(context));
    }
    this.experts = children("experts", ChannelMixer.class, made);
    this.gate = child("gate", Gate.class, config.gate().build(context, config.count()));
    this.diverse = config.diversify().share() > 0 ? buffer("diverse", Tensor.zeros(1)) : null;
  }

  /** Number of experts. */
  public int count() {
    return experts.size();
  }

  /** All experts, in order. */
  List<Slot<ChannelMixer>> all() {
    return experts;
  }

  /** The gate. */
  public Gate gate() {
    return gate.get();
  }

  /**
   * Passes each routing to a consumer from now on.
   *
   * @param consumer null for none
   */
  public void watch(Consumer<Routing> consumer) {
    this.watcher = consumer;
  }

  @Override
  public void before(long step, long steps) {
    long start = (long) Math.ceil(config.diversify().share() * steps);
    if (step >= start) {
      if (isAlone()) {
        diversify();
      }
      gate.get().before(step - start, steps - start);
    }
  }

  private boolean isAlone() {
    return diverse != null && diverse.value().item() == 0;
  }

  private void diversify() {
    Map<String, Parameter> first = experts.get(0).get().parameters();
    for (Slot<ChannelMixer> other : experts.subList(1, experts.size())) {
      other
          .get()
          .parameters()
          .forEach((name, parameter) -> parameter.copyFrom(masked(first.get(name).value())));
    }
    diverse.copyFrom(Tensor.ones(1));
  }

  private Tensor masked(Tensor weight) {
    if (weight.rank() < 2) {
      return weight.detach();
    }
    Tensor kept = Tensor.rand(weight.shape().toArray()).ge(config.diversify().masked());
    return weight.detach().mul(kept.to(weight.dtype()));
  }

  @Override
  public Tensor forward(Tensor x) {
    long width = x.size(-1);
    Tensor flat = x.reshape(-1, width);
    Tensor paddingMask = perToken(SequenceContext.paddingMask(), flat);
    Tensor ids = perToken(SequenceContext.ids(), flat);
    Tensor sequences = sequences(x, flat.size(0));
    if (paddingMask == null) {
      return mixed(new RoutedRows(flat, ids, sequences)).view(x.shape().toArray());
    }
    Tensor places = paddingMask.nonzero().squeeze(1);
    RoutedRows rows =
        new RoutedRows(
            flat.indexSelect(0, places),
            ids == null ? null : ids.indexSelect(0, places),
            sequences.indexSelect(0, places));
    Tensor mixture = mixed(rows);
    return Tensor.zeros(mixture.dtype(), flat.size(0), width)
        .indexAdd_(0, places, mixture)
        .view(x.shape().toArray());
  }

  private Tensor mixed(RoutedRows rows) {
    Routing routing = isAlone() ? Routing.single(count(), 0, rows.count()) : gate.get().route(rows);
    if (watcher != null) {
      watcher.accept(routing);
    }
    report(routing);
    return routing.run(rows.x(), experts);
  }

  private static void report(Routing routing) {
    double busiest = Arrays.stream(routing.shares()).max().orElse(0);
    AuxiliaryLosses.metric("expertLoad", () -> busiest * routing.experts());
    AuxiliaryLosses.metric("expertsPerToken", () -> (double) routing.pairs() / routing.tokens());
    AuxiliaryLosses.metric(
        "expertDropped",
        () -> (double) routing.dropped() / Math.max(1, routing.pairs() + routing.dropped()));
    if (routing.hasProbabilities()) {
      AuxiliaryLosses.metric("gateEntropy", routing::entropy);
    }
  }

  /** One value for each of the tokens [n, D], as a vector; null if their numbers differ. */
  private static Tensor perToken(Tensor values, Tensor flat) {
    return values == null || values.elements() != flat.size(0) ? null : values.reshape(-1);
  }

  /** The index of each token's sequence. */
  private static Tensor sequences(Tensor x, long tokens) {
    if (x.rank() < 3) {
      return Tensor.zeros(DType.INT64, tokens);
    }
    long length = x.size(-2);
    return Tensor.arange(0, tokens).floorDiv(length);
  }

  /**
   * Sets the number k of experts for each token in inference, in all gates of a model that allow
   * it.
   *
   * @throws IllegalArgumentException if no gate allows it, or k is not 1 to N
   */
  public static void activate(Module model, int k) {
    List<Gate.Slimmable> gates =
        model.modules().values().stream()
            .filter(Gate.Slimmable.class::isInstance)
            .map(Gate.Slimmable.class::cast)
            .toList();
    if (gates.isEmpty()) {
      throw new IllegalArgumentException(
          "the model has no gate whose number of experts can be changed: expected one such as 'top-k' or"
              + " 'smoe-dropout'");
    }
    gates.forEach(gate -> gate.activate(k));
  }
}
