package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.DenoisingTranslator;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class DenoisingSearchTest {
  private static final int VOCAB = 12;
  private static final int END = VOCAB - 1;
  private static final int MASK = VOCAB - 2;
  private static final int LENGTH = 130;

  private static DenoisingTranslator model() {
    Random.seed(3);
    Encoder.Config encoder =
        new Encoder.Config()
            .withVocab(VOCAB)
            .withLength(LENGTH)
            .withStack(s -> s.layers(1).width(12))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(3, 0)).bias(true).dropout(0));
    DenoisingTranslator model =
        Weights.draw(new DenoisingTranslator.Config().withEncoder(encoder).build());
    model.train(false);
    return model;
  }

  /** Lets lengths be predicted whatever the source says: the first the most. */
  private static void lengths(DenoisingTranslator model, int... lengths) {
    try (Mode mode = Autograd.noGrad()) {
      model.parameters().get("lengthHead.weight").value().zero_();
      Tensor bias = model.parameters().get("lengthHead.bias").value().zero_();
      for (int i = 0; i < lengths.length; i++) {
        bias.narrow(0, lengths[i] - 1, 1).fill_(100 - i);
      }
    }
  }

  private static void always(DenoisingTranslator model, int id) {
    try (Mode mode = Autograd.noGrad()) {
      model.parameters().get("decoderBias").value().narrow(0, id, 1).fill_(1e6);
    }
  }

  private static List<DenoisingSearch.Found> search(
      DenoisingTranslator model, DenoisingSearch.Settings settings, int[]... sources) {
    return new DenoisingSearch(model, settings).search(List.of(sources));
  }

  @Test
  void aTranslationHasTheLengthThatIsPredicted() {
    try (DenoisingTranslator model = model()) {
      always(model, 4);
      for (int length : new int[] {1, 2, 63, 64, 65, 127, 128, 129, 130}) {
        lengths(model, length);
        DenoisingSearch.Found found =
            search(model, new DenoisingSearch.Settings(9, 1), new int[] {1, END}).get(0);
        assertEquals(Collections.nCopies(length, 4), found.ids());
        assertTrue(found.passes() <= 2, "no pass after nothing changes: " + found.passes());
        assertEquals(0, found.score(), 1e-9);
      }
    }
  }

  @Test
  void theEndEndsATextAndTheMaskIsNeverWritten() {
    try (DenoisingTranslator model = model()) {
      lengths(model, 20);
      always(model, MASK);
      for (DenoisingSearch.Found found :
          search(model, new DenoisingSearch.Settings(5, 1), new int[] {1, END}, new int[] {END})) {
        assertTrue(found.ids().stream().noneMatch(id -> id == MASK || id == END), "" + found);
      }
      always(model, END);
      try (Mode mode = Autograd.noGrad()) {
        model.parameters().get("decoderBias").value().narrow(0, END, 1).fill_(1e9);
      }
      assertEquals(
          List.of(), search(model, new DenoisingSearch.Settings(5, 1), new int[] {1}).get(0).ids());
    }
  }

  /** Of several lengths that wins which has the highest score alone. */
  @Test
  void theBestOfSeveralLengthsIsTaken() {
    try (DenoisingTranslator model = model()) {
      int[][] sources = {{1, 2, END}, {5, END}, {7, 7, 3, 9, END}};
      int[] tried = {3, 8, 65};
      lengths(model, tried);
      List<DenoisingSearch.Found> together =
          search(model, new DenoisingSearch.Settings(4, 3), sources);
      for (int text = 0; text < 3; text++) {
        DenoisingSearch.Found best = null;
        for (int length : tried) {
          lengths(model, length);
          DenoisingSearch.Found alone =
              search(model, new DenoisingSearch.Settings(4, 1), sources[text]).get(0);
          best = best == null || alone.score() > best.score() ? alone : best;
        }
        assertEquals(best.ids(), together.get(text).ids());
        assertEquals(best.score(), together.get(text).score(), 1e-5);
      }
    }
  }

  @Test
  void passesAreAsManyAsAskedForAndDrawsFollowTheSeed() {
    try (DenoisingTranslator model = model()) {
      lengths(model, 30);
      int[] source = {3, 1, 4, END};
      for (int steps : new int[] {1, 2, 5}) {
        DenoisingSearch.Settings drawing = new DenoisingSearch.Settings(steps, 1, 1.5, 1);
        DenoisingSearch.Found found = search(model, drawing, source).get(0);
        assertEquals(steps, found.passes());
        assertEquals(found, search(model, drawing, new int[] {1, END}, source).get(1));
      }
      List<List<Integer>> several =
          IntStream.range(0, 4)
              .mapToObj(
                  seed ->
                      search(model, new DenoisingSearch.Settings(3, 1, 1.5, seed), source)
                          .get(0)
                          .ids())
              .distinct()
              .toList();
      assertNotEquals(1, several.size());
    }
  }
}
