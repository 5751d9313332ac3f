package dev.jformer.data.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class UnigramTrainerTest {
  private static final double EULER = 0.5772156649015329;

  @Test
  void digammaHasItsKnownValues() {
    assertEquals(-EULER, UnigramTrainer.digamma(1), 1e-9);
    assertEquals(-EULER - 2 * Math.log(2), UnigramTrainer.digamma(0.5), 1e-9);
    assertEquals(2.251752589066721, UnigramTrainer.digamma(10), 1e-9);
    assertEquals(Math.log(1e9), UnigramTrainer.digamma(1e9), 1e-8);
  }

  /** All ways to cut a word, one by one. */
  @Test
  void expectsWhatAllCutsSay() {
    Random random = new Random(3);
    List<String> pieces = List.of("a", "b", "ab", "ba", "aba", "bab", "abab");
    double[] scores = pieces.stream().mapToDouble(p -> Math.log(random.nextDouble())).toArray();
    PieceLattice lattice = new PieceLattice(pieces, scores);
    for (String word : List.of("a", "ab", "abab", "babababab", "bbaabba")) {
      double[] expected = new double[pieces.size()];
      List<List<Integer>> cuts = new ArrayList<>();
      cuts(word, pieces, new ArrayList<>(), cuts);
      double all = 0;
      double best = 0;
      for (List<Integer> cut : cuts) {
        double probability = probability(cut, scores);
        all += probability;
        best = Math.max(best, probability);
        cut.forEach(piece -> expected[piece] += 3 * probability);
      }
      double[] found = new double[pieces.size()];
      assertEquals(Math.log(all), lattice.expect(word, 3, found), 1e-12);
      for (int i = 0; i < found.length; i++) {
        assertEquals(expected[i] / all, found[i], 1e-12, word + " " + pieces.get(i));
      }
      List<Integer> chosen = new ArrayList<>();
      for (int piece : lattice.best(word, -1)) {
        chosen.add(piece);
      }
      assertEquals(best, probability(chosen, scores), 1e-15);
    }
  }

  private static double probability(List<Integer> cut, double[] scores) {
    return Math.exp(cut.stream().mapToDouble(piece -> scores[piece]).sum());
  }

  private static void cuts(
      String rest, List<String> pieces, List<Integer> cut, List<List<Integer>> all) {
    if (rest.isEmpty()) {
      all.add(List.copyOf(cut));
    }
    for (int piece = 0; piece < pieces.size(); piece++) {
      if (rest.startsWith(pieces.get(piece))) {
        cut.add(piece);
        cuts(rest.substring(pieces.get(piece).length()), pieces, cut, all);
        cut.remove(cut.size() - 1);
      }
    }
  }

  /** On the text they learned from, the order that their aims say. */
  @Test
  void likelihoodsStandInTheOrderOfTheirAims() throws IOException {
    String text = TokenizerMethodTest.text(4000, 7);
    double pairs = nats(TokenizerMethod.BPE, text);
    double pieces = nats(TokenizerMethod.WORDPIECE, text);
    double best = nats(TokenizerMethod.LIKELIHOOD, text);
    assertTrue(best <= pieces + 1e-9 && best < pairs, best + " " + pieces + " " + pairs);
    assertTrue(best <= nats(TokenizerMethod.UNIGRAM, text) + 1e-9);
    assertTrue(best < nats(TokenizerMethod.LZW, text));
  }

  /** Of the text's tokens as independent ones. */
  private static double nats(TokenizerMethod method, String text) throws IOException {
    TokenizerTrainer trainer = method.trainer();
    trainer.piece(text);
    Tokenizer tokenizer = trainer.train(300, count -> {});
    int[] ids = tokenizer.encode(text);
    double[] counts = new double[tokenizer.vocabularySize()];
    for (int id : ids) {
      counts[id]++;
    }
    double nats = 0;
    for (double count : counts) {
      nats -= WordPieceTrainer.entropy(count) - count * Math.log(ids.length);
    }
    return nats;
  }
}
