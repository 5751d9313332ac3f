package dev.jformer.data.algorithm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.data.text.SampleRows;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class ExamplesTest {
  @Test
  void noHeldOutPromptIsTrainedOn() {
    for (int samples : new int[] {0, 2000}) {
      Examples examples = new Examples(new Arithmetic(), samples, 50, 7);
      Set<List<String>> heldOut = new HashSet<>();
      examples.heldOut(400).forEach(example -> heldOut.add(example.prompt()));
      assertEquals(400, heldOut.size());
      Set<List<String>> trained = new HashSet<>();
      for (int batch = 0; batch < 80; batch++) {
        examples.training(batch).forEach(example -> trained.add(example.prompt()));
      }
      assertTrue(trained.stream().noneMatch(heldOut::contains));
      assertEquals(samples == 0 ? trained.size() : 2000, trained.size());
      assertTrue(trained.size() > 1900, trained.size() + " different ones");
    }
  }

  @Test
  void batchesDependOnTheirNumberAndTheSeedAlone() {
    Examples examples = new Examples(new Arithmetic(), 0, 8, 1);
    List<Example> third = examples.training(3);
    examples.training(9);
    assertEquals(third, examples.training(3));
    assertEquals(third, new Examples(new Arithmetic(), 0, 8, 1).training(3));
    assertNotEquals(third, examples.training(4));
    assertNotEquals(third, new Examples(new Arithmetic(), 0, 8, 2).training(3));
  }

  @Test
  void problemsWithTooFewPromptsAreRefused() {
    Sequences bits = new Sequences(SequenceTask.PARITY, 1, 6, 2, false, 0);
    DataException e =
        assertThrows(DataException.class, () -> new Examples(bits, 0, 4, 1).heldOut(100));
    assertTrue(e.getMessage().contains("but 100 are wanted"), e.getMessage());
    assertThrows(DataException.class, () -> new Examples(bits, 200, 4, 1));
  }

  @Test
  void answersAreTheTargets() {
    Problem problem = new Arithmetic();
    Alphabet alphabet = new Alphabet(problem);
    List<Example> two =
        List.of(
            Example.ofCharacters("1+2=", "3", Map.of()),
            Example.ofCharacters("10+25=", "35", Map.of()));
    SampleRows batch = rows(two, alphabet, false);
    assertArrayEquals(new long[] {2, 8}, batch.ids().shape().toArray());
    long[] inputs = batch.ids().flatten(0, 1).toLongs();
    assertEquals("1+2=3\n\n\n10+25=35", text(alphabet, inputs));
    assertArrayEquals(new long[] {3, 4, 13, 14, 15}, batch.positions().toLongs());
    assertEquals("3\n35\n", text(alphabet, batch.targets().toLongs()));
    SampleRows all = rows(two, alphabet, true);
    assertEquals("+2=3\n0+25=35\n", text(alphabet, all.targets().toLongs()));
  }

  private static SampleRows rows(List<Example> examples, Alphabet alphabet, boolean prompts) {
    return SampleRows.of(
        examples.stream().map(example -> alphabet.encode(example, prompts)).toList(),
        alphabet.end());
  }

  private static String text(Alphabet alphabet, long[] ids) {
    int[] numbers = java.util.Arrays.stream(ids).mapToInt(id -> (int) id).toArray();
    return String.join("", alphabet.known(numbers));
  }

  @Test
  void scratchpadsEndWithTheirResult() {
    Problem problem = new Arithmetic(ArithmeticOperation.ADD, ArithmeticFormat.SCRATCHPAD, 3, true);
    Alphabet alphabet = new Alphabet(problem);
    Example example = problem.draw(new Random(1));
    int[] answer = alphabet.ids(Symbols.join(example.answer(), List.of(Problem.END)));
    int complete = 0;
    for (int length = 0; length <= answer.length; length++) {
      complete += alphabet.isComplete(java.util.Arrays.copyOf(answer, length)) ? 1 : 0;
    }
    assertEquals(1, complete, "only the whole answer is complete");
    assertTrue(alphabet.isComplete(answer));
  }

  @Test
  void theTokenizerHasTheSymbolsAsTokens(@TempDir Path folder) throws IOException {
    for (Problem problem : List.of(new Arithmetic(), new EditDistance(), new Brackets())) {
      Files.writeString(folder.resolve(Tokenizer.FILE), ProblemTokenizer.json(problem));
      Tokenizer tokenizer = Tokenizers.load(folder);
      Alphabet alphabet = new Alphabet(problem);
      assertEquals(alphabet.size(), tokenizer.vocabularySize());
      Example example = problem.draw(new Random(1));
      String text = String.join(problem.separator(), example.prompt());
      assertArrayEquals(alphabet.ids(example.prompt()), tokenizer.encode(text));
      assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
    }
  }
}
