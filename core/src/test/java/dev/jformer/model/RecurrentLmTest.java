package dev.jformer.model;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.PrimerAttention;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.linear.LinearAttention;
import dev.jformer.nn.Parameter;
import dev.jformer.position.Alibi;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Close;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Scoped.class)
class RecurrentLmTest {
  private static final int VOCAB = 11;
  private static final int WINDOW = 64;

  private static RecurrentLm.Config config(
      int layers, Position.Config position, TokenMixer.Config mixer, RecurrenceConfig recurrence) {
    return new RecurrentLm.Config(
        new CausalLm.Config()
            .with(x -> x.vocab(VOCAB).length(WINDOW))
            .withStack(s -> s.layers(layers).width(12).position(position))
            .withBlock(b -> b.mixer(mixer).bias(true).dropout(0)),
        recurrence);
  }

  private static RecurrentLm.Config config(int layers, RecurrenceConfig recurrence) {
    return config(layers, new Rope.Config(), new SoftmaxAttention.Config(3, 0), recurrence);
  }

  /** A model whose weights are drawn anew, in float64. */
  private static RecurrentLm drawn(RecurrentLm.Config config) {
    RecurrentLm model = Weights.draw(config.build());
    model.train(false);
    return model;
  }

  private static Tensor ids(long batch, long length) {
    return Tensor.randint(0, VOCAB, batch, length);
  }

  static List<RecurrentLm.Config> variants() {
    List<RecurrentLm.Config> all = new ArrayList<>();
    int slots = 1;
    for (Position.Config position :
        List.of(new NoPosition.Config(), new Rope.Config(), new Alibi.Config())) {
      for (RecurrenceConfig.Update update : RecurrenceConfig.Update.values()) {
        for (RecurrenceConfig.Pooling pooling : RecurrenceConfig.Pooling.values()) {
          int count = slots;
          RecurrenceConfig recurrence =
              new RecurrenceConfig()
                  .with(
                      r ->
                          r.update(update).pooling(pooling).slots(count).state(count == 1 ? 0 : 7));
          boolean grouped = slots == 2;
          boolean halved = position instanceof Alibi.Config; // its slopes are for powers of two
          int heads = halved ? 2 : 3;
          TokenMixer.Config mixer =
              new SoftmaxAttention.Config(grouped ? 2 * heads : heads, grouped ? 2 : 0);
          all.add(config(1, position, mixer, recurrence));
          slots = slots % 3 + 1;
        }
      }
    }
    return all;
  }

  /** Lengths within a window, at its end and beyond several windows. */
  @ParameterizedTest
  @MethodSource("variants")
  void carriesTheStateAsTheReferenceDoes(RecurrentLm.Config config) {
    try (Mode mode = Autograd.noGrad();
        RecurrentLm model = drawn(config)) {
      SoftmaxAttention.Config mixer = (SoftmaxAttention.Config) config.block().mixer();
      NaiveAttention.Rotation rotation =
          config.position() instanceof Rope.Config rope
              ? NaiveAttention.rope(rope.base())
              : (head, position) -> head;
      NaiveAttention.Bias bias =
          config.position() instanceof Alibi.Config
              ? NaiveAttention.alibi(mixer.heads())
              : (head, query, key) -> 0;
      NaiveRecurrentLm naive =
          new NaiveRecurrentLm(model, mixer.heads(), mixer.groups(), rotation, bias);
      for (int length : new int[] {1, 2, 63, 64, 65, 127, 128, 129, 200}) {
        Tensor ids = ids(2, length);
        Tensor logits = model.logits(ids);
        for (int row = 0; row < 2; row++) {
          double[][] expected = naive.logits(ids.select(0, row).toLongs());
          assertClose(Close.flat(expected), logits.select(0, row), 1e-5, "length " + length);
        }
      }
    }
  }

  @Test
  void withoutAStateEachWindowIsReadByTheModelAlone() {
    try (Mode mode = Autograd.noGrad();
        RecurrentLm model = drawn(config(3, new RecurrenceConfig().withLayer(1).withSlots(2)))) {
      for (int length : new int[] {1, 2, 63, 64}) {
        Tensor ids = ids(3, length);
        assertClose(model.lm().hidden(ids), model.read(ids, null).hidden(), 0);
        Tensor state = model.read(ids(3, 64), null).state();
        Tensor with = model.read(ids, state).hidden();
        assertTrue(with.sub(model.lm().hidden(ids)).abs().max().item() > 1e-3, "state unused");
      }
    }
  }

  /** A value of zero with a key that no query likes leaves attention as it is. */
  @Test
  void aSlotThatNoQueryLooksAtChangesNothing() {
    RecurrentLm.Config config =
        config(
            2, new NoPosition.Config(), new SoftmaxAttention.Config(3, 0), new RecurrenceConfig());
    try (Mode mode = Autograd.noGrad();
        RecurrentLm model = drawn(config)) {
      Parameter emitted = model.parameters().get("recurrence.emit.weight");
      emitted.value().zero_();
      Tensor bias = model.parameters().get("recurrence.emit.bias").value().zero_();
      // Queries all have the same first channel in each head, so that one key repels them all.
      Parameter qkv = model.parameters().get("blocks.0.mixer.qkv.weight");
      Tensor shift = model.parameters().get("blocks.0.mixer.qkv.bias").value();
      for (int head = 0; head < 3; head++) {
        qkv.value().select(0, head * 4L).zero_();
        shift.narrow(0, head * 4L, 1).fill_(1);
        bias.narrow(0, head * 4L, 1).fill_(-1e4);
      }
      Tensor ids = ids(2, 150);
      Tensor logits = model.logits(ids);
      for (int from = 0; from < 150; from += WINDOW) {
        int count = Math.min(WINDOW, 150 - from);
        Tensor alone = model.lm().logits(ids.narrow(1, from, count));
        assertClose(alone, logits.narrow(1, from, count), 1e-9);
      }
    }
  }

  @Test
  void nothingDependsOnLaterTokensAndLaterWindowsOnEarlierOnes() {
    try (Mode mode = Autograd.noGrad();
        RecurrentLm model = drawn(config(2, new RecurrenceConfig().withWindow(16)))) {
      Tensor ids = ids(1, 60);
      Tensor logits = model.logits(ids);
      for (int changed : new int[] {0, 15, 16, 40}) {
        Tensor other = ids.copy();
        other.narrow(1, changed, 1).fill_((ids.narrow(1, changed, 1).item() + 1) % VOCAB);
        Tensor difference = model.logits(other).sub(logits).abs();
        if (changed > 0) {
          assertEquals(0, difference.narrow(1, 0, changed).max().item(), "before " + changed);
        }
        assertTrue(difference.select(1, 59).max().item() > 0, "the end after " + changed);
      }
    }
  }

  private static double lossOf(RecurrentLm model, Tensor ids, int window, int index) {
    try (Mode mode = Autograd.noGrad()) {
      return loss(model, ids, window, index).item();
    }
  }

  /** The loss of one window of a sequence. */
  private static Tensor loss(RecurrentLm model, Tensor ids, int window, int index) {
    long length = ids.size(1) - 1;
    Tensor logits = model.logits(ids.narrow(1, 0, length)).narrow(1, (long) index * window, window);
    Tensor targets = ids.narrow(1, (long) index * window + 1, window).flatten(0, 1);
    return Functional.crossEntropy(logits.flatten(0, 1), targets, -1, 0);
  }

  private static double gradient(Parameter parameter) {
    Tensor gradient = parameter.value().grad();
    return gradient == null ? 0 : gradient.abs().max().item();
  }

  /**
   * What the third window loses is differentiated with respect to what the first one was read by.
   */
  @ParameterizedTest
  @MethodSource("updates")
  void gradientsOfTheStateAreThoseOfFiniteDifferences(RecurrenceConfig.Update update) {
    try (RecurrentLm model =
        drawn(config(2, new RecurrenceConfig().with(r -> r.window(8).update(update).slots(2))))) {
      Tensor ids = ids(2, 25);
      loss(model, ids, 8, 2).backward();
      for (String name :
          List.of("recurrence.read.weight", "recurrence.inner.weight", "recurrence.emit.weight")) {
        Parameter parameter = model.parameters().get(name);
        double[] gradient = parameter.value().grad().toDoubles();
        for (int i : new int[] {0, 5, 17}) {
          Tensor one = parameter.value().detach().view(-1).narrow(0, i, 1);
          double before = one.item();
          one.fill_(before + 1e-5);
          double above = lossOf(model, ids, 8, 2);
          one.fill_(before - 1e-5);
          double below = lossOf(model, ids, 8, 2);
          one.fill_(before);
          assertEquals((above - below) / 2e-5, gradient[i], 1e-7, name + " " + i);
          assertNotEquals(0, gradient[i], name + " " + i);
        }
      }
    }
  }

  static List<RecurrenceConfig.Update> updates() {
    return List.of(RecurrenceConfig.Update.values());
  }

  @Test
  void gradientsGoBackAsFarAsTheHorizonSays() {
    RecurrenceConfig two = new RecurrenceConfig().with(r -> r.window(8).windows(4).horizon(2));
    try (RecurrentLm model = drawn(config(2, two))) {
      Tensor ids = ids(2, 33);
      Parameter read = model.parameters().get("recurrence.read.weight");
      Parameter emit = model.parameters().get("recurrence.emit.weight");
      double[] expected = {0, 1, 0, 1};
      for (int window = 0; window < 4; window++) {
        model.clearGrads();
        loss(model, ids, 8, window).backward();
        assertEquals(expected[window], gradient(read) > 0 ? 1 : 0, "window " + window);
        assertEquals(window > 0, gradient(emit) > 0, "window " + window);
      }
    }
    assertThrows(IllegalArgumentException.class, () -> new RecurrenceConfig().withHorizon(1));
  }

  /** The first window is reached from the third through the second's hidden states alone. */
  @Test
  void gradientsReachTheFirstWindowFromTheThird() {
    try (RecurrentLm model = drawn(config(2, new RecurrenceConfig().withWindow(8)))) {
      Tensor first = ids(1, 8);
      Tensor state = model.read(first, null).state().detach().requiresGrad(true);
      RecurrentLm.Reading second = model.read(ids(1, 8), state);
      RecurrentLm.Reading third = model.read(ids(1, 8), second.state());
      model.loss(third, ids(1, 8)).backward();
      assertTrue(state.grad().abs().max().item() > 0);
    }
  }

  @Test
  void aFrozenModelHasGradientsInItsRecurrenceOnly() {
    RecurrenceConfig frozen = new RecurrenceConfig().with(r -> r.window(8).frozen(true));
    try (RecurrentLm model = config(2, frozen).build()) {
      loss(model, ids(2, 25), 8, 1).backward();
      model
          .parameters()
          .forEach(
              (name, parameter) ->
                  assertEquals(
                      name.startsWith("recurrence."), parameter.value().grad() != null, name));
    }
  }

  @Test
  void beginsWithTheWeightsOfALanguageModel() {
    try (Mode mode = Autograd.noGrad();
        CausalLm plain = config(3, new RecurrenceConfig()).lm().build()) {
      plain.train(false);
      RecurrentLm.Config own = config(1, new RecurrenceConfig().withLayer(0).withSlots(3));
      RecurrentLm.Config begun = own.beginningWith(plain.config()).orElseThrow();
      assertEquals(plain.config(), begun.lm());
      assertEquals(own.recurrence(), begun.recurrence());
      assertTrue(own.beginningWith(new Encoder.Config()).isEmpty());
      try (RecurrentLm model = begun.build()) {
        model.train(false);
        model.copyFrom(plain);
        Tensor ids = ids(2, 40);
        assertClose(plain.logits(ids), model.logits(ids), 0);
      }
    }
  }

  @Test
  void refusesWhatCannotCarryAState() {
    for (TokenMixer.Config mixer :
        List.of(new LinearAttention.Config(), new PrimerAttention.Config())) {
      RecurrentLm.Config config =
          config(2, new NoPosition.Config(), mixer, new RecurrenceConfig().withLayer(1));
      String message = assertThrows(IllegalArgumentException.class, config::build).getMessage();
      assertTrue(message.contains("recurrence.layer is 1"), message);
    }
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> config(2, new RecurrenceConfig().withLayer(2)))
            .getMessage()
            .contains("one of 2 blocks"));
  }

  /** Weights of a small model are float32; sums over a window then differ in the last places. */
  @Test
  void float32IsCloseToFloat64() {
    RecurrentLm.Config config = config(2, new RecurrenceConfig().withWindow(16));
    try (Mode mode = Autograd.noGrad();
        RecurrentLm exact = drawn(config);
        RecurrentLm single = config.build()) {
      single.train(false);
      single.copyFrom(exact);
      Tensor ids = ids(2, 90);
      Tensor logits = single.logits(ids);
      assertEquals(DType.FLOAT32, logits.dtype());
      assertClose(exact.logits(ids), logits.to(DType.FLOAT64), 1e-4);
      assertFalse(Arrays.equals(exact.logits(ids).toDoubles(), logits.toDoubles()));
    }
  }
}
