package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import dev.jformer.testing.JsonMutations;
import dev.jformer.testing.Mutations;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;

/** A damaged {@code tokenizer.json} is refused in a line, or encodes and decodes texts. */
class TokenizerFuzzTest {
  private static final List<String> TEXTS =
      List.of(
          "",
          "The cat sits in the park. Don't they've 12,345 naïve <s>words</s>?\n\t  x",
          "你好世界 🙂👨‍👩‍👧 e\u0301\u200b\ud800",
          "a".repeat(300) + "b" + " ".repeat(300) + "[UNK]▁##");

  private static final AtomicInteger TRIED = new AtomicInteger();
  private static final AtomicInteger WORKED = new AtomicInteger();

  @Provide
  Arbitrary<byte[]> tokenizers() throws IOException {
    JsonMapper json = new JsonMapper();
    List<byte[]> files = new ArrayList<>();
    for (JsonNode given :
        json.readTree(getClass().getResourceAsStream("tokenizers.json")).path("cases")) {
      files.add(json.writeValueAsBytes(given.path("tokenizer")));
    }
    return JsonMutations.of(files);
  }

  @Property
  void tokenizersWorkOrAreRefused(@ForAll("tokenizers") byte[] file) {
    Mutations.check("", () -> use(file), DataException.class);
  }

  @AfterContainer
  static void report() {
    System.out.println("TokenizerFuzzTest: " + WORKED + " of " + TRIED + " damaged files worked");
  }

  private static void use(byte[] file) throws IOException {
    TRIED.incrementAndGet();
    Tokenizer tokenizer;
    try {
      tokenizer = Tokenizers.parse(file);
    } catch (JsonProcessingException e) {
      return; // of which the caller makes a line
    } catch (IOException e) {
      throw new DataException(e.getMessage(), e);
    }
    for (String text : TEXTS) {
      int[] ids = tokenizer.encodeWhole(text, 1 << 20);
      tokenizer.decode(ids);
      for (int id : ids) {
        if (id < 0 || id >= tokenizer.vocabularySize()) {
          throw new AssertionError(id + " is no id of " + tokenizer.vocabularySize());
        }
      }
      tokenizer.encodePrompt(text);
    }
    WORKED.incrementAndGet();
  }
}
