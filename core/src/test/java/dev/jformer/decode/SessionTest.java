package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.decode.Generator.Continuation;
import dev.jformer.decode.Generator.Ending;
import dev.jformer.decode.Generator.Request;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class SessionTest {
  private static final int VOCAB = 26;

  private static CausalLm model(String mixer) {
    Random.seed(3);
    String config =
        "{\"model\":\"causal-lm\",\"layers\":2,\"width\":16,\"vocab\":26,\"length\":220,"
            + "\"init\":{\"deviation\":0.3},\"mixer\":{\"type\":\""
            + mixer
            + "\"}}";
    CausalLm model = (CausalLm) Configs.parse(config, Model.Config.class).build();
    model.train(false);
    return model;
  }

  private static int[] joined(int[] first, List<Integer> second, int... third) {
    List<Integer> all = new ArrayList<>();
    for (int id : first) {
      all.add(id);
    }
    all.addAll(second);
    for (int id : third) {
      all.add(id);
    }
    return all.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Attention remembers all tokens; the others cannot drop some of them, or remember the last. */
  @ParameterizedTest
  @ValueSource(strings = {"softmax", "linear", "convolution", "primer", "pooling"})
  void textsAreThoseOfTheGenerator(String mixer) {
    CausalLm model = model(mixer);
    Generator generator = new Generator(model);
    Request greedy = new Request(9, new Sampling(0, 0, 1, 0, 1.1, 1));
    Request drawn = new Request(5, new Sampling(1, 12, 0.9, 0, 1, 7));
    SplittableRandom random = new SplittableRandom(1);
    try (Session session = new Session(model, 220)) {
      int[] prompt = {4, 2, 0, 7};
      for (int turn = 0; turn < 12; turn++) {
        Request request = turn % 3 == 2 ? drawn : greedy;
        Continuation expected = generator.generate(List.of(prompt), request).get(0);
        Continuation made = session.generate(prompt, request, null, null);
        assertEquals(expected, made, mixer + " turn " + turn);
        if (turn % 4 == 3) { // another conversation with the same beginning
          prompt = joined(new int[] {4, 2}, List.of(), random.nextInt(VOCAB), 1);
        } else {
          prompt = joined(prompt, made.ids(), random.nextInt(VOCAB), random.nextInt(VOCAB));
        }
      }
    }
  }

  @Test
  void onlyWhatIsNewIsRead() {
    CausalLm model = model("softmax");
    Request request = new Request(6, Sampling.GREEDY);
    try (Session session = new Session(model, 200)) {
      int[] prompt = {1, 2, 3, 4, 5};
      Continuation first = session.generate(prompt, request, null, null);
      assertEquals(0, session.reused());
      int[] next = joined(prompt, first.ids(), 9, 9, 9);
      session.generate(next, request, null, null);
      // the last token generated was not read
      assertEquals(prompt.length + first.ids().size() - 1, session.reused());
      session.generate(next, request, null, null);
      assertEquals(next.length - 1, session.reused(), "the last token of a prompt is read again");
      session.generate(new int[] {1, 2, 8}, request, null, null);
      assertEquals(2, session.reused());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {63, 64, 65, 128, 129, 200})
  void theContextEndsAText(int capacity) {
    CausalLm model = model("softmax");
    try (Session session = new Session(model, capacity)) {
      int[] prompt = new int[capacity - 2];
      Continuation made = session.generate(prompt, new Request(50, Sampling.GREEDY), null, null);
      assertEquals(Ending.CONTEXT_FULL, made.ending());
      assertEquals(3, made.ids().size(), "the last one is never read");
      assertThrows(
          IllegalArgumentException.class,
          () ->
              session.generate(new int[capacity + 1], new Request(1, Sampling.GREEDY), null, null));
    }
  }

  @Test
  void stoppingAndStopIdsEndATextAndTheNextOneIsWhole() {
    CausalLm model = model("softmax");
    int[] prompt = {4, 2, 0, 7};
    Request request = new Request(8, Sampling.GREEDY);
    Continuation whole = new Generator(model).generate(List.of(prompt), request).get(0);
    try (Session session = new Session(model, 100)) {
      Continuation cut =
          session.generate(
              prompt, request, ids -> "x".repeat(ids.length), (sequence, piece) -> session.stop());
      assertEquals(Ending.INTERRUPTED, cut.ending());
      assertEquals(whole.ids().subList(0, 1), cut.ids());
      assertEquals(whole.ids(), session.generate(prompt, request, null, null).ids());
      int end = whole.ids().get(3);
      Request ended = new Request(8, Sampling.GREEDY, Set.of(end), List.of(), true);
      Continuation stopped = session.generate(prompt, ended, null, null);
      assertEquals(Ending.STOP_ID, stopped.ending());
      assertEquals(whole.ids().subList(0, whole.ids().indexOf(end)), stopped.ids());
    }
  }

  @Test
  void badRequestsAreRefused() {
    CausalLm model = model("softmax");
    for (int capacity : new int[] {0, 1, 221}) {
      assertTrue(
          assertThrows(IllegalArgumentException.class, () -> new Session(model, capacity))
              .getMessage()
              .contains("2 to 220"));
    }
    try (Session session = new Session(model, 10)) {
      Request request = new Request(8, Sampling.GREEDY);
      for (int[] prompt : List.of(new int[0], new int[] {26}, new int[] {-1})) {
        assertThrows(
            IllegalArgumentException.class, () -> session.generate(prompt, request, null, null));
      }
    }
  }
}
