package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.data.algorithm.Alphabet;
import dev.jformer.data.algorithm.Arithmetic;
import dev.jformer.data.algorithm.ExampleRows;
import dev.jformer.data.algorithm.Examples;
import dev.jformer.data.algorithm.Problem;
import dev.jformer.data.algorithm.SequenceTask;
import dev.jformer.data.algorithm.Sequences;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.train.AnswerModelling;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class AnswersTest {
  private static CausalLm model(int vocab, int length) {
    Random.seed(5);
    CausalLm model =
        new CausalLm.Config()
            .with(x -> x.vocab(vocab).length(length))
            .withStack(s -> s.layers(2).width(32))
            .build();
    model.train(false);
    return model;
  }

  /** Prompts of several lengths, more than fit a batch, against one at a time without a cache. */
  @Test
  void answersAreThoseOfOnePromptAtATime() {
    try (CausalLm model = model(13, 70)) {
      java.util.Random random = new java.util.Random(2);
      List<int[]> prompts =
          java.util.stream.IntStream.range(0, 23)
              .mapToObj(i -> random.ints(1 + i % 5 * 13, 0, 13).toArray())
              .toList();
      List<int[]> answers = new GreedyAnswers(model, 4).of(prompts, 66, ids -> last(ids) == 7);
      int complete = 0;
      for (int i = 0; i < prompts.size(); i++) {
        int[] text = prompts.get(i);
        do {
          Tensor logits =
              model.logits(Tensor.of(text).view(1, text.length).to(dev.jformer.tensor.DType.INT64));
          int next = (int) logits.select(1, text.length - 1).argmax(-1).item();
          text = Arrays.copyOf(text, text.length + 1);
          text[text.length - 1] = next;
        } while (last(text) != 7 && text.length < 66);
        assertArrayEquals(
            Arrays.copyOfRange(text, prompts.get(i).length, text.length), answers.get(i));
        complete += last(text) == 7 ? 1 : 0;
      }
      assertTrue(complete > 0 && complete < prompts.size(), complete + " end by themselves");
    }
  }

  private static int last(int[] ids) {
    return ids[ids.length - 1];
  }

  @Test
  void promptsWithoutRoomGetNoAnswer() {
    try (CausalLm model = model(13, 8)) {
      List<int[]> answers =
          new GreedyAnswers(model, 4).of(List.of(new int[8], new int[3]), 100, ids -> false);
      assertEquals(0, answers.get(0).length);
      assertEquals(5, answers.get(1).length);
    }
  }

  /** A model that has learned gives right answers, by length; one that has not gives none. */
  @Test
  void scoresCountRightAnswers() {
    Problem problem = new Sequences(SequenceTask.MODE, 1, 3, 4, false, 0);
    Examples examples = new Examples(problem, 0, 32, 1);
    try (CausalLm model = model(new Alphabet(problem).size(), 16)) {
      AnswerModelling task = new AnswerModelling(model, problem, examples, 4, ExampleRows.ANSWERS);
      double before = task.evaluate().loss();
      assertTrue(before > 1, before + " nats");
      AnswerScores scores = AnswerScores.of(model, problem, task.heldOut());
      assertEquals(0, scores.right());
      assertEquals(4, scores.answers());
    }
  }

  @Test
  void modelsThatAreTooShortAreRefused() {
    Problem problem = new Arithmetic();
    Examples examples = new Examples(problem, 0, 4, 1);
    try (CausalLm model = model(20, 8)) {
      DataException e =
          assertThrows(
              DataException.class,
              () -> new AnswerModelling(model, problem, examples, 4, ExampleRows.ANSWERS));
      assertTrue(e.getMessage().contains("raise model.length"), e.getMessage());
    }
  }
}
