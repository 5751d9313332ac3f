package dev.jformer.data.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What holds for tokenizers however they are learned. */
class TokenizerMethodTest {
  private static final String[] ROOTS = {
    "nation", "inter", "al", "iz", "ation", "token", "er", "trans", "form", "ing", "ä", "中", "42"
  };

  @TempDir private Path folder;

  /** Words of a few roots. */
  static String text(int words, long seed) {
    Random random = new Random(seed);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < words; i++) {
      for (int root = random.nextInt(4); root >= 0; root--) {
        text.append(ROOTS[random.nextInt(ROOTS.length)]);
      }
      text.append(random.nextInt(9) == 0 ? ".\n" : " ");
    }
    return text.toString();
  }

  @ParameterizedTest
  @EnumSource(TokenizerMethod.class)
  void encodesEveryTextAndIsReadBack(TokenizerMethod method) throws IOException {
    TokenizerTrainer trainer = method.trainer();
    String text = text(3000, 1);
    trainer.piece(text.substring(0, text.length() / 2));
    trainer.piece(text.substring(text.length() / 2));
    Tokenizer learned = trainer.train(400, count -> {});
    assertTrue(learned.vocabularySize() > 270 && learned.vocabularySize() <= 400, method.label());
    learned.save(folder);
    Tokenizer read = Tokenizers.load(folder);
    for (String some :
        new String[] {
          text, text(200, 2), "", " ", "\u0000\n\t ~ž😀", "z".repeat(1000), "'s  'll"
        }) {
      int[] ids = learned.encode(some);
      assertEquals(some, learned.decode(ids));
      assertArrayEquals(ids, read.encode(some));
    }
    assertEquals(0, learned.endOfText().getAsInt());
    assertTrue(
        learned.encode(text).length < 0.6 * learned.encode("z".repeat(text.length())).length);
  }

  /** What is learned depends on the text alone. */
  @ParameterizedTest
  @EnumSource(TokenizerMethod.class)
  void isTheSameEachTime(TokenizerMethod method) throws IOException {
    byte[][] files = new byte[2][];
    for (int i = 0; i < 2; i++) {
      TokenizerTrainer trainer = method.trainer();
      trainer.piece(text(500, 3));
      files[i] = trainer.train(300, count -> {}).json();
    }
    assertArrayEquals(files[0], files[1]);
  }

  @ParameterizedTest
  @EnumSource(TokenizerMethod.class)
  void refusesVocabulariesWithoutRoomForTheBytes(TokenizerMethod method) throws IOException {
    TokenizerTrainer trainer = method.trainer();
    trainer.piece("some text");
    String message =
        assertThrows(DataException.class, () -> trainer.train(256, count -> {})).getMessage();
    assertTrue(message.contains("a vocabulary of 256 is too small"), message);
    int[] ids = trainer.train(257, count -> {}).encode("some text");
    assertEquals("some text".length(), ids.length);
  }

  @ParameterizedTest
  @EnumSource(TokenizerMethod.class)
  void learnsNothingFromNothing(TokenizerMethod method) throws IOException {
    Tokenizer tokenizer = method.trainer().train(1000, count -> {});
    assertEquals(257, tokenizer.vocabularySize());
    assertEquals("abc", tokenizer.decode(tokenizer.encode("abc")));
  }

  /** Never a token of more than one word. */
  @ParameterizedTest
  @EnumSource(TokenizerMethod.class)
  void tokensEndWithWords(TokenizerMethod method) throws IOException {
    TokenizerTrainer trainer = method.trainer();
    trainer.piece("the cat sat. ".repeat(500));
    Tokenizer tokenizer = trainer.train(600, count -> {});
    Set<String> seen = new HashSet<>();
    for (int id : tokenizer.encode("the cat sat. the cat")) {
      seen.add(tokenizer.decode(new int[] {id}));
    }
    assertTrue(seen.stream().noneMatch(token -> token.strip().contains(" ")), seen.toString());
    assertTrue(Arrays.stream(seen.toArray(String[]::new)).anyMatch(t -> t.length() > 1));
  }
}
