package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.algorithm.Alphabet;
import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.Examples;
import dev.jformer.data.algorithm.SequenceTask;
import dev.jformer.data.algorithm.Sequences;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class AnswerSymbolsTest {
  private final Sequences problem = new Sequences(SequenceTask.SORT, 1, 9, 12, false, 0);
  private final Alphabet alphabet = new Alphabet(problem);

  private CausalLm model() {
    return Weights.draw(
        new CausalLm.Config()
            .withVocab(alphabet.size())
            .withLength(problem.mostSymbols())
            .withStack(s -> s.layers(2).width(16))
            .build());
  }

  /** The losses of a prompt and its answer, token by token and one example at a time. */
  private List<Double> losses(CausalLm model, Example example) {
    List<String> text = new ArrayList<>(example.prompt());
    List<Double> losses = new ArrayList<>();
    for (String symbol : example.answer()) {
      int[] before = alphabet.ids(text);
      long[] ids = java.util.Arrays.stream(before).asLongStream().toArray();
      double[] logits =
          model
              .logits(Tensor.of(ids, 1, ids.length))
              .select(1, ids.length - 1L)
              .flatten(0, 1)
              .toDoubles();
      double sum = 0;
      for (double logit : logits) {
        sum += Math.exp(logit);
      }
      losses.add(Math.log(sum) - logits[alphabet.ids(List.of(symbol))[0]]);
      text.add(symbol);
    }
    return losses;
  }

  @Test
  void lossesAreThoseOfSymbolsOneByOne() {
    CausalLm model = model();
    List<Example> examples = new Examples(problem, 0, 1, 3).heldOut(300); // more than a batch
    AnswerSymbols symbols = AnswerSymbols.of(model, problem, examples);
    assertEquals(300, symbols.losses().size());
    double first = 0;
    for (int i = 0; i < 300; i++) {
      List<Double> expected = losses(model, examples.get(i));
      List<Double> found = symbols.losses().get(i);
      assertEquals(expected.size(), found.size());
      for (int place = 0; place < expected.size(); place++) {
        assertEquals(expected.get(place), found.get(place), 1e-4, i + ", " + place);
      }
      first += expected.get(0) / 300;
    }
    assertEquals(first, symbols.lossByPlace().get(0), 1e-4);
    assertEquals(9, symbols.lossByPlace().size());
  }

  @Test
  void sharesAreByLabel() {
    AnswerSymbols symbols =
        new AnswerSymbols(
            List.of(List.of(1.0, 3.0), List.of(2.0)), List.of(List.of(true, false), List.of(true)));
    assertEquals(List.of(1.5, 3.0), symbols.lossByPlace());
    List<List<String>> labels = List.of(List.of("a", "b"), List.of("b"));
    assertEquals(Map.of("a", 1.0, "b", 0.5), symbols.rightBy(labels::get));
    String message =
        assertThrows(IllegalArgumentException.class, () -> symbols.rightBy(number -> List.of("a")))
            .getMessage();
    assertTrue(message.contains("example 0 has 1 labels: expected 2"), message);
  }

  @Test
  void rightIsTheSmallestLossOfAll() {
    List<Example> examples = new Examples(problem, 0, 1, 3).heldOut(40);
    AnswerSymbols symbols = AnswerSymbols.of(model(), problem, examples);
    double bound = Math.log(alphabet.size());
    int right = 0;
    for (int i = 0; i < 40; i++) {
      for (int place = 0; place < symbols.losses().get(i).size(); place++) {
        boolean hit = symbols.right().get(i).get(place);
        // The most probable of V symbols has at least 1 / V; one with more than a half is it.
        assertTrue(!hit || symbols.losses().get(i).get(place) <= bound + 1e-6);
        assertTrue(hit || symbols.losses().get(i).get(place) >= Math.log(2) - 1e-6);
        right += hit ? 1 : 0;
      }
    }
    assertTrue(right > 0);
  }
}
