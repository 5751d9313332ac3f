package dev.jformer.data.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class LikelihoodTrainerTest {
  /** The scores in the file are the shares that the tokens have in the text. */
  @Test
  void scoresAreTheSharesOfTheTokens() throws IOException {
    String text = TokenizerMethodTest.text(3000, 5);
    LikelihoodTrainer trainer = new LikelihoodTrainer();
    trainer.piece(text);
    Tokenizer tokenizer = trainer.train(320, count -> {});
    int[] ids = tokenizer.encode(text);
    double[] counts = new double[tokenizer.vocabularySize()];
    for (int id : ids) {
      counts[id]++;
    }
    JsonNode model = new JsonMapper().readTree(tokenizer.json()).path("model");
    assertEquals("Unigram", model.path("type").asText());
    for (int id = 1; id < counts.length; id++) {
      double share = Math.max(0.5, counts[id]) / ids.length;
      assertEquals(Math.log(share), model.path("vocab").path(id).path(1).asDouble(), 1e-9);
    }
  }

  /** Words that occur often become tokens, however long they are. */
  @Test
  void learnsWholeWords() throws IOException {
    LikelihoodTrainer trainer = new LikelihoodTrainer();
    trainer.piece("unbelievable nonsense ".repeat(100));
    Tokenizer tokenizer = trainer.train(259, count -> {});
    int[] ids = tokenizer.encode(" nonsense unbelievable nonsense");
    assertEquals(3, ids.length);
    assertArrayEquals(
        new String[] {" nonsense", " unbelievable"},
        new String[] {tokenizer.decode(new int[] {ids[0]}), tokenizer.decode(new int[] {ids[1]})});
  }
}
