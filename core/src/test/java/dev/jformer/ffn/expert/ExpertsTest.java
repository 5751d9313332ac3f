package dev.jformer.ffn.expert;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.ffn.Mlp;
import dev.jformer.nn.Activation;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.SequenceContext;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Scoped.class)
class ExpertsTest {
  private static final int WIDTH = 6;
  private static final int COUNT = 4;

  static List<Gate.Config> gates() {
    return List.of(
        new TopKGate.Config(),
        new SwitchGate.Config(),
        new NoisyTopKGate.Config(),
        new HashGate.Config(),
        new BaseGate.Config(),
        new StableGate.Config(9, 0.5, 5, 0.3, 0.3),
        new ThorGate.Config(),
        new ThorGate.Config(ThorGate.Draw.SEQUENCE, ThorGate.Draw.AVERAGE),
        new ThorGate.Config(ThorGate.Draw.TOKEN, ThorGate.Draw.TOKEN),
        new SmoeDropoutGate.Config(),
        new EvoMoeGate.Config());
  }

  private static Experts experts(Gate.Config gate) {
    return (Experts)
        new Experts.Config(new Mlp.Config(Activation.GELU, 2, 0), COUNT, gate)
            .build(Sites.causal(WIDTH));
  }

  @ParameterizedTest
  @MethodSource("gates")
  void isCountedBeforeItIsMade(Gate.Config gate) {
    try (Mode mode = MetaMode.open(10_000)) {
      Experts experts = experts(gate);
      assertTrue(experts.parameterCount() > COUNT * WIDTH * 2 * WIDTH, gate.type());
    }
  }

  private static Tensor ids(long batch, long length) {
    return Tensor.randint(0, 9, batch, length);
  }

  /** Rows that each expert's first layer was given, in a forward pass. */
  private static long[] rowsSeen(Experts experts, Tensor x, Tensor ids, Tensor paddingMask) {
    long[] rows = new long[COUNT];
    try (SequenceContext tokens = SequenceContext.open(ids, paddingMask);
        dev.jformer.nn.ForwardHook probe =
            dev.jformer.nn.ForwardHook.on(
                experts,
                name -> name.endsWith(".up"),
                seen ->
                    rows[Integer.parseInt(seen.layer().split("\\.")[1])] +=
                        seen.input().size(-2))) {
      experts.forward(x);
    }
    return rows;
  }

  @ParameterizedTest
  @MethodSource("gates")
  void expertsComputeOnTheirTokensOnlyAndNoneIsLost(Gate.Config config) {
    Experts experts = experts(config);
    List<Routing> routings = new ArrayList<>();
    experts.watch(routings::add);
    Tensor x = Tensor.randn(3, 13, WIDTH);
    Tensor ids = ids(3, 13);
    for (boolean training : new boolean[] {true, false}) {
      experts.train(training);
      long[] rows = rowsSeen(experts, x, ids, null);
      Routing routing = routings.get(routings.size() - 1);
      assertArrayEquals(routing.counts(), rows, "training: " + training);
      assertEquals(39, routing.tokens());
      assertTrue(routing.pairs() + routing.dropped() >= 39, "each token wants an expert");
      if (!training || !(config instanceof SwitchGate.Config)) {
        assertEquals(0, routing.dropped());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("gates")
  void paddingGoesToNoExpert(Gate.Config config) {
    Experts experts = experts(config);
    Tensor paddingMask = Tensor.of(new boolean[] {true, true, true, true, false, false}, 2, 3);
    Tensor x = Tensor.randn(2, 3, WIDTH);
    Tensor ids = ids(2, 3);
    long[] rows = rowsSeen(experts, x, ids, paddingMask);
    List<Routing> routings = new ArrayList<>();
    experts.watch(routings::add);
    try (SequenceContext tokens = SequenceContext.open(ids, paddingMask)) {
      Tensor y = experts.forward(x);
      assertEquals(x.shape(), y.shape());
      assertArrayEquals(new double[2 * WIDTH], y.select(0, 1).narrow(0, 1, 2).toDoubles());
    }
    assertEquals(4, routings.get(0).tokens());
    assertTrue(Arrays.stream(rows).sum() <= 4L * COUNT);
  }

  @Test
  void keptTokensAreMixedAsWithoutPadding() {
    Experts experts = experts(new TopKGate.Config());
    Tensor x = Tensor.randn(2, 3, WIDTH);
    Tensor paddingMask = Tensor.of(new boolean[] {true, true, true, true, false, false}, 2, 3);
    Tensor all = experts.forward(x).detach();
    try (SequenceContext tokens = SequenceContext.open(null, paddingMask)) {
      Tensor some = experts.forward(x).detach();
      assertClose(all.flatten(0, 1).narrow(0, 0, 4), some.flatten(0, 1).narrow(0, 0, 4), 1e-6);
    }
  }

  @Test
  void capacityDropsTheLastTokensAndSaysHowMany() {
    Tensor chosen = Tensor.of(new long[] {1, 1, 0, 1, 1, 0}, 6, 1);
    Routing routing = Routing.of(3, chosen, Tensor.ones(6, 1), 3);
    assertArrayEquals(new long[] {2, 3, 0}, routing.counts());
    assertArrayEquals(new long[] {2, 4, 0}, routing.wanted());
    assertEquals(1, routing.dropped());
    Experts experts = experts(new SwitchGate.Config(0.5, 0, 0));
    Tensor x = Tensor.randn(1, 64, WIDTH);
    try (AuxiliaryLosses auxiliary = AuxiliaryLosses.collect()) {
      double[] y = experts.forward(x).detach().toDoubles();
      long zero = 0;
      for (int t = 0; t < 64; t++) {
        double[] row = Arrays.copyOfRange(y, t * WIDTH, (t + 1) * WIDTH);
        zero += Arrays.stream(row).allMatch(v -> v == 0) ? 1 : 0;
      }
      assertTrue(zero >= 32, "half of the tokens find no place: " + zero);
      assertEquals(zero / 64.0, auxiliary.metrics().get("expertDropped"), 1e-9);
    }
  }

  @Test
  void withAllExpertsItIsTheDenseWeightedSum() {
    Experts experts = experts(new TopKGate.Config(COUNT, true, 0));
    experts.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT64)));
    Tensor x = Tensor.randn(2, 5, WIDTH).to(DType.FLOAT64);
    Tensor probabilities =
        ((dev.jformer.nn.Layer) experts.modules().get("gate.scores")).forward(x).softmax(2);
    Tensor sum = x.mul(0.0);
    for (int e = 0; e < COUNT; e++) {
      Tensor made = ((ChannelMixer) experts.modules().get("experts." + e)).forward(x);
      sum = sum.add(made.mul(probabilities.narrow(2, e, 1)));
    }
    assertClose(sum.detach(), experts.forward(x).detach(), 1e-12);
  }

  @Test
  void aRoutingByMaskIsThatByNumbers() {
    Tensor weights = Tensor.rand(7, COUNT);
    Tensor.Ranked best = weights.topK(2, 1);
    Tensor mask = weights.zerosLike().scatter(1, best.indices(), 1.0).gt(0);
    Experts experts = experts(new TopKGate.Config());
    Tensor x = Tensor.randn(7, WIDTH);
    Tensor byNumbers = run(Routing.of(COUNT, best.indices(), best.values()), x, experts);
    Tensor byMask = run(Routing.where(mask, weights), x, experts);
    assertClose(byNumbers, byMask, 1e-6);
  }

  private static Tensor run(Routing routing, Tensor x, Experts experts) {
    Experts fixed = experts;
    return routing.run(x, fixed.all()).detach();
  }

  @Test
  void itStandsInEveryNthBlock() {
    ChannelMixer.Config config =
        new Experts.Config(
            new GatedMlp.Config(), COUNT, new SwitchGate.Config(), 2, new Experts.Diversify());
    BlockContext first = Sites.causal(WIDTH);
    BlockContext second =
        new BlockContext(
            WIDTH, 1, 2, 64, true, true, 0, new BlockContext.Init(), first.projection());
    assertTrue(config.build(first) instanceof GatedMlp);
    assertTrue(config.build(second) instanceof Experts);
  }

  @Test
  void onceDiversifiedExpertsAreTheFirstWithDifferentMasks() {
    Experts experts =
        (Experts)
            new Experts.Config(
                    new Mlp.Config(Activation.GELU, 8, 0),
                    COUNT,
                    new TopKGate.Config(),
                    1,
                    new Experts.Diversify(0.25, 0.3))
                .build(Sites.causal(WIDTH));
    Tensor x = Tensor.randn(2, 9, WIDTH);
    experts.before(24, 100);
    assertArrayEquals(new long[] {18, 0, 0, 0}, rowsSeen(experts, x, null, null));
    assertClose(
        ((ChannelMixer) experts.modules().get("experts.0")).forward(x).detach(),
        experts.forward(x).detach(),
        1e-6);
    experts.parameters().get("experts.0.up.bias").value().detach().fill_(0.5);
    experts.before(25, 100);
    Map<String, Parameter> p = experts.parameters();
    double[] first = p.get("experts.0.up.weight").value().toDoubles();
    double[] before = null;
    for (int e = 1; e < COUNT; e++) {
      assertArrayEquals(
          p.get("experts.0.up.bias").value().toDoubles(),
          p.get("experts." + e + ".up.bias").value().toDoubles());
      double[] other = p.get("experts." + e + ".up.weight").value().toDoubles();
      int zeros = 0;
      for (int i = 0; i < other.length; i++) {
        assertTrue(other[i] == 0 || other[i] == first[i]);
        zeros += other[i] == 0 ? 1 : 0;
      }
      // 288 entries, of which 30 % are masked, with a deviation of 2.7 %.
      assertEquals(0.3, (double) zeros / other.length, 0.11);
      assertFalse(Arrays.equals(before, other), "two experts have one mask");
      before = other;
    }
    assertNotEquals(18, rowsSeen(experts, x, null, null)[0]);
    Tensor kept = p.get("experts.1.up.weight").value().copy();
    experts.before(26, 100);
    assertClose(kept.detach(), p.get("experts.1.up.weight").value().detach(), 0);
  }

  @Test
  void loadIsToldForEachLayer() {
    Experts experts = experts(new TopKGate.Config(2, true, 0));
    Tensor x = Tensor.randn(2, 10, WIDTH);
    ExpertLoad load = ExpertLoad.of(experts, () -> experts.forward(x));
    ExpertLoad.Layer layer = load.layers().get("");
    assertEquals(2, layer.perToken(), 1e-12);
    assertEquals(0, layer.dropped(), 1e-12);
    assertEquals(1, layer.shares().stream().mapToDouble(s -> s).sum(), 1e-12);
    ExpertLoad.Layer other = new ExpertLoad.Layer(List.of(0.1, 0.2, 0.7), 1, 0, 0);
    ExpertLoad.Layer even = new ExpertLoad.Layer(List.of(0.5, 0.5, 0.0), 1, 0, 0);
    List<Double> shares = new ExpertLoad(Map.of("a", other, "b", even)).sharesInOrder();
    assertArrayEquals(
        new double[] {0.6, 0.35, 0.05}, shares.stream().mapToDouble(s -> s).toArray(), 1e-12);
    double[] p =
        ((dev.jformer.nn.Layer) experts.modules().get("gate.scores"))
            .forward(x)
            .softmax(2)
            .detach()
            .toDoubles();
    double entropy = -Arrays.stream(p).map(v -> v * Math.log(v)).sum() / 20;
    assertEquals(entropy, layer.entropy(), 1e-5);
    assertThrows(
        IllegalArgumentException.class,
        () -> ExpertLoad.of(new Mlp.Config().build(Sites.causal(4)), () -> {}));
  }

  @Test
  void isAPartLikeAnyOther() {
    ChannelMixer.Config config =
        Configs.parse(
            "{\"type\":\"experts\",\"count\":16,\"gate\":{\"type\":\"frozen\",\"first\":4}}",
            ChannelMixer.Config.class);
    assertEquals(
        new Experts.Config(new Mlp.Config(), 16, new SmoeDropoutGate.Config(4, 0, 0)), config);
    assertThrows(
        IllegalArgumentException.class,
        () -> new Experts.Config(new Experts.Config(), 2, new SwitchGate.Config()));
  }
}
