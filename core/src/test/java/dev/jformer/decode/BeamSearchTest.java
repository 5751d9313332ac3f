package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.decode.BeamSearch.Hypothesis;
import dev.jformer.decode.BeamSearch.Settings;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class BeamSearchTest {
  private static final int[][] SOURCES = {
    {1, 2, 0}, {2, 2, 1, 1, 1, 2, 0}, {0}, {1, 0}, {2, 1, 2, 1, 0}, {1, 1, 1, 1, 0}, {2, 0}
  };

  /** The weights are drawn wide, so that probabilities are far apart; the end is 0. */
  private static EncoderDecoder model(int vocab) {
    String json =
        ("{'model':'encoder-decoder','encoderLayers':1,'decoderLayers':2,'width':16,'end':0,"
                + "'length':16,'dropout':0,'mixer':{'heads':2},'init':{'deviation':0.4},'vocab':"
                + vocab
                + "}")
            .replace('\'', '"');
    EncoderDecoder model = (EncoderDecoder) Configs.parse(json, Model.Config.class).build();
    model.train(false);
    return model;
  }

  /** Log probabilities of what follows a text. */
  private static double[] next(EncoderDecoder model, int[] source, List<Integer> text) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      long[] read = new long[text.size() + 1];
      for (int i = 0; i < text.size(); i++) {
        read[i + 1] = text.get(i);
      }
      long[] from = IntStream.of(source).asLongStream().toArray();
      return model
          .logits(Tensor.of(from, 1, from.length), null, Tensor.of(read, 1, read.length))
          .select(1, text.size())
          .to(DType.FLOAT64)
          .logSoftmax(-1)
          .toDoubles();
    }
  }

  private static Hypothesis hypothesis(List<Integer> ids, boolean end, double log, double alpha) {
    int tokens = ids.size() + (end ? 1 : 0);
    return new Hypothesis(ids, end, log, log / Math.pow((5.0 + tokens) / 6, alpha));
  }

  private static List<Integer> with(List<Integer> ids, int id) {
    List<Integer> longer = new ArrayList<>(ids);
    longer.add(id);
    return longer;
  }

  private static void assertSameText(Hypothesis expected, Hypothesis found) {
    assertEquals(expected.ids(), found.ids());
    assertEquals(expected.ended(), found.ended());
    assertEquals(expected.logProbability(), found.logProbability(), 1e-4);
    assertEquals(expected.score(), found.score(), 1e-4);
  }

  // ---- Every text there is.

  private static void everything(
      EncoderDecoder model,
      int[] source,
      List<Integer> text,
      double log,
      int longest,
      double alpha,
      List<Hypothesis> all) {
    double[] next = next(model, source, text);
    all.add(hypothesis(text, true, log + next[0], alpha));
    for (int id = 1; id < next.length; id++) {
      List<Integer> longer = with(text, id);
      if (longer.size() == longest) {
        all.add(hypothesis(longer, false, log + next[id], alpha));
      } else {
        everything(model, source, longer, log + next[id], longest, alpha, all);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.6, 1, 3})
  void wideBeamFindsTheBestOfAllTexts(double alpha) {
    EncoderDecoder model = model(3);
    List<Hypothesis> found =
        new BeamSearch(model, new Settings(40, alpha, 0, 5, true)).search(List.of(SOURCES));
    for (int i = 0; i < SOURCES.length; i++) {
      List<Hypothesis> all = new ArrayList<>();
      everything(model, SOURCES[i], List.of(), 0, 5, alpha, all);
      assertEquals(63, all.size()); // 31 texts of up to 4 tokens that end, 32 of 5 that do not
      assertSameText(
          all.stream().max(Comparator.comparingDouble(Hypothesis::score)).orElseThrow(),
          found.get(i));
    }
    model.close();
  }

  // ---- Beam search by its definition: one source, lists, everything computed anew.

  private static Hypothesis naive(
      EncoderDecoder model, int[] source, int beam, double alpha, int longest) {
    List<Hypothesis> open = List.of(hypothesis(List.of(), false, 0, alpha));
    List<Hypothesis> ended = new ArrayList<>();
    while (!open.isEmpty()) {
      List<Hypothesis> candidates = new ArrayList<>();
      for (Hypothesis text : open) {
        double[] next = next(model, source, text.ids());
        for (int id = 0; id < next.length; id++) {
          double log = text.logProbability() + next[id];
          candidates.add(
              id == 0
                  ? hypothesis(text.ids(), true, log, alpha)
                  : hypothesis(with(text.ids(), id), false, log, alpha));
        }
      }
      candidates.sort(Comparator.comparingDouble(Hypothesis::logProbability).reversed());
      List<Hypothesis> best =
          candidates.subList(0, Math.min(candidates.size(), beam - ended.size()));
      best.stream().filter(Hypothesis::ended).forEach(ended::add);
      open = best.stream().filter(text -> !text.ended()).toList();
      if (!open.isEmpty() && open.get(0).ids().size() == longest) {
        ended.addAll(open);
        break;
      }
    }
    return ended.stream().max(Comparator.comparingDouble(Hypothesis::score)).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"1,0", "1,1", "2,0.6", "3,0", "5,1", "4,2"})
  void findsWhatItsDefinitionFinds(int beam, double alpha) {
    EncoderDecoder model = model(6);
    for (boolean cached : new boolean[] {true, false}) {
      List<Hypothesis> found =
          new BeamSearch(model, new Settings(beam, alpha, 1, 3, cached)).search(List.of(SOURCES));
      for (int i = 0; i < SOURCES.length; i++) {
        assertSameText(naive(model, SOURCES[i], beam, alpha, SOURCES[i].length + 3), found.get(i));
      }
    }
    model.close();
  }

  @Test
  void beamOfOneIsGreedy() {
    EncoderDecoder model = model(9);
    List<Hypothesis> found =
        new BeamSearch(model, new Settings(1, 0.6, 0, 12, true)).search(List.of(SOURCES));
    for (int i = 0; i < SOURCES.length; i++) {
      List<Integer> text = new ArrayList<>();
      boolean ended = false;
      while (!ended && text.size() < 12) {
        double[] next = next(model, SOURCES[i], text);
        int best =
            IntStream.range(0, next.length)
                .boxed()
                .max(Comparator.comparingDouble(id -> next[id]))
                .orElseThrow();
        ended = best == 0;
        if (!ended) {
          text.add(best);
        }
      }
      assertEquals(text, found.get(i).ids());
      assertEquals(ended, found.get(i).ended());
    }
    model.close();
  }

  @Test
  void sourceIsTranslatedAsItWouldBeAlone() {
    EncoderDecoder model = model(7);
    BeamSearch search = new BeamSearch(model, new Settings(3));
    List<Hypothesis> together = search.search(List.of(SOURCES));
    for (int i = 0; i < SOURCES.length; i++) {
      assertSameText(search.search(List.of(SOURCES[i])).get(0), together.get(i));
    }
    assertEquals(List.of(), search.search(List.of()));
    model.close();
  }

  @Test
  void refusesWhatCannotBe() {
    EncoderDecoder model = model(5);
    BeamSearch search = new BeamSearch(model, new Settings(2));
    assertThrows(IllegalArgumentException.class, () -> search.search(List.of(new int[0])));
    model.train(true);
    assertThrows(IllegalStateException.class, () -> search.search(List.of(SOURCES)));
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> new Settings(0))
            .getMessage()
            .contains("beam is 0"));
    assertThrows(IllegalArgumentException.class, () -> new Settings(1, -1, 1, 1, true));
    assertThrows(IllegalArgumentException.class, () -> new Settings(1, 1, 0, 0, true));
    model.close();
  }
}
