package dev.jformer.data.label;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.program.LabelKind;
import dev.jformer.program.LabelScheme;
import dev.jformer.program.Lexicon;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WordSequencesTest {
  private static LabelledWords text(String words, String... labels) {
    return new LabelledWords(List.of(words.split(" ")), List.of(labels));
  }

  /** Sentence i has i + 1 words, whose names are its own. */
  private static List<LabelledWords> sentences(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                new LabelledWords(
                    Collections.nCopies(i + 1, "word" + (char) ('a' + i)),
                    Collections.nCopies(i + 1, i % 2 == 0 ? "O" : "B-x")))
        .toList();
  }

  private static List<String> names(LabelScheme scheme, LabelledSequence sequence) {
    return Arrays.stream(sequence.tokens()).mapToObj(scheme.tokens()::get).toList();
  }

  @Test
  void longSentencesAreReadInPieces() {
    List<LabelledWords> texts = List.of(text("a b c d e", "O", "B-x", "I-x", "I-x", "O"));
    LabelScheme scheme = WordEncoder.scheme(LabelKind.WORDS, texts, 1, 3);
    assertEquals(List.of("B-x", "I-x", "O"), scheme.labels());
    WordEncoder encoder = new WordEncoder(scheme);
    assertEquals(1, encoder.longer(texts));
    List<LabelledSequence> pieces = encoder.encode(texts, "file");
    assertEquals(3, pieces.size());
    assertEquals(List.of("<s>", "a", "b"), names(scheme, pieces.get(0)));
    assertEquals(List.of("<s>", "c", "d"), names(scheme, pieces.get(1)));
    assertEquals(List.of("<s>", "e"), names(scheme, pieces.get(2)));
    assertArrayEquals(new int[] {-1, 2, 0}, pieces.get(0).labels());
    assertArrayEquals(new int[] {-1, 1, 1}, pieces.get(1).labels());
    assertEquals(
        List.of(false, true, true), pieces.stream().map(LabelledSequence::continues).toList());
    assertEquals(0, new WordEncoder(scheme.withLength(6)).longer(texts));
    assertEquals(1, new WordEncoder(scheme.withLength(6)).encode(texts, "file").size());
  }

  @Test
  void longTextsAreCutOff() {
    List<LabelledWords> texts = List.of(text("who is it", "person"), text("when", "time"));
    LabelScheme scheme = WordEncoder.scheme(LabelKind.TEXTS, texts, 1, 3);
    List<LabelledSequence> sequences = new WordEncoder(scheme).encode(texts, "file");
    assertEquals(List.of("<s>", "who", "is"), names(scheme, sequences.get(0)));
    assertArrayEquals(new int[] {0}, sequences.get(0).labels());
    assertEquals(List.of("<s>", "when"), names(scheme, sequences.get(1)));
  }

  @Test
  void labelsThatTheTrainingDidNotHaveAreRefused() {
    LabelScheme scheme = WordEncoder.scheme(LabelKind.WORDS, sentences(3), 1, 9);
    String message =
        assertThrows(
                DataException.class,
                () -> new WordEncoder(scheme).encode(List.of(text("a", "B-y")), "dev.conll"))
            .getMessage();
    assertTrue(
        message.contains(
            "dev.conll has the label 'B-y', which the training did not have: expected B-x, O"),
        message);
  }

  /** In 16 batches of 2 all of 16 sentences occur twice, each among those of its length. */
  @Test
  void batchesHoldSentencesOfSimilarLength() {
    List<LabelledWords> texts = sentences(16);
    LabelScheme scheme = WordEncoder.scheme(LabelKind.WORDS, texts, 1, 20);
    List<LabelledSequence> all = new WordEncoder(scheme).encode(texts, "file");
    WordSequences sequences = new WordSequences(scheme, all, all, 0, 2, 7);
    WordSequences other = new WordSequences(scheme, all, all, 0, 2, 8);
    assertEquals(2, sequences.batch());
    assertEquals(16, sequences.samples());
    int[] seen = new int[16];
    List<Integer> lengths = new ArrayList<>();
    List<Integer> others = new ArrayList<>();
    for (long index = 16; index < 32; index++) {
      List<LabelledSequence> batch = sequences.training(index);
      int first = batch.get(0).tokens().length;
      assertEquals(first, batch.get(1).tokens().length);
      lengths.add(first);
      others.add(other.training(index).get(0).tokens().length);
      batch.forEach(sequence -> seen[sequence.tokens().length - 2]++);
    }
    int[] expected = new int[16];
    Arrays.fill(expected, 2);
    assertArrayEquals(expected, seen);
    assertTrue(!lengths.equals(lengths.stream().sorted().toList()), "" + lengths);
    assertTrue(!lengths.equals(others), "" + lengths);
    assertEquals(
        sequences.training(21).stream().map(s -> Arrays.toString(s.tokens())).toList(),
        new WordSequences(scheme, all, all, 0, 2, 7)
            .training(21).stream().map(s -> Arrays.toString(s.tokens())).toList());
    assertEquals(3, sequences.typical(3).size());
    assertEquals(16, sequences.typical(99).size());
  }

  @Test
  void aShareOfWordsIsTakenForUnknown() {
    List<LabelledWords> texts =
        IntStream.range(0, 50)
            .mapToObj(i -> new LabelledWords(Collections.nCopies(39, "Anna"), List.of("a")))
            .toList();
    LabelScheme scheme = WordEncoder.scheme(LabelKind.TEXTS, texts, 1, 40);
    List<LabelledSequence> all = new WordEncoder(scheme).encode(texts, "file");
    List<LabelledSequence> drawn = new WordSequences(scheme, all, all, 0.3, 50, 1).training(0);
    int unknown = 0;
    for (LabelledSequence sequence : drawn) {
      assertEquals(Lexicon.START, scheme.tokens().get(sequence.tokens()[0]));
      for (int i = 1; i < sequence.tokens().length; i++) {
        String name = scheme.tokens().get(sequence.tokens()[i]);
        assertTrue(name.equals("Anna") || name.equals("<Unk>"), name);
        unknown += name.equals("Anna") ? 0 : 1;
      }
    }
    assertEquals(0.3, unknown / (50.0 * 39), 0.05);
    assertTrue(
        all.stream().allMatch(s -> names(scheme, s).stream().noneMatch("<Unk>"::equals)),
        "what is not trained on stays as it is");
  }

  @Test
  void somethingIsLearnedFromAndHeldOut() {
    List<LabelledWords> texts = sentences(2);
    LabelScheme scheme = WordEncoder.scheme(LabelKind.WORDS, texts, 1, 9);
    List<LabelledSequence> all = new WordEncoder(scheme).encode(texts, "file");
    String message =
        assertThrows(DataException.class, () -> new WordSequences(scheme, all, List.of(), 0, 2, 1))
            .getMessage();
    assertTrue(message.contains("2 texts to learn from and 0 to evaluate on"), message);
  }
}
