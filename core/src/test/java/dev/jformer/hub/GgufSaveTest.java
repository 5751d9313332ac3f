package dev.jformer.hub;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.Fold;
import dev.jformer.config.ConfigException;
import dev.jformer.data.DataException;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.GgufTokenizerWriter;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufType;
import dev.jformer.io.gguf.GgufWriter;
import dev.jformer.mixer.Pooling;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.quantized.BlockLinear;
import dev.jformer.nn.quantized.BlockWeight;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that are saved in GGUF and loaded again. */
@ExtendWith(Scoped.class)
class GgufSaveTest {
  @TempDir Path folder;

  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve("model.gguf");
  }

  private static CausalLm model(String name) throws IOException {
    Path path = name.equals("gguf") ? GgufLlamaTest.FILE : BertTest.MODELS.resolve(name);
    try (CausalLm model = (CausalLm) Models.load(path)) {
      return Fold.fold(model);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gguf", "gpt2", "llama"})
  void theSameModelIsLoaded(String name) throws IOException {
    try (CausalLm model = model(name)) {
      Gguf.save(model, null, Set.of(), GgufType.F32, file);
      try (CausalLm again = (CausalLm) Models.load(file)) {
        assertEquals(model.config().layers(), again.config().layers());
        model
            .parameters()
            .forEach((key, p) -> assertSame(p.value(), again.parameters().get(key).value(), key));
      }
    }
  }

  @Test
  void matricesAreRounded() throws IOException {
    try (CausalLm model = model("gguf")) {
      for (GgufType type : List.of(GgufType.F16, GgufType.Q8_0)) {
        Gguf.save(model, null, Set.of(), type, file);
        try (CausalLm loaded = (CausalLm) Models.load(file);
            CausalLm again = Fold.fold(loaded);
            GgufFile stored = GgufFile.open(file)) {
          assertEquals(type, stored.tensors().get("blk.1.ffn_up.weight").type());
          assertEquals(GgufType.F32, stored.tensors().get("output_norm.weight").type());
          Tensor before = model.parameters().get("blocks.1.ffn.down.weight").value();
          Tensor after = again.parameters().get("blocks.1.ffn.down.weight").value();
          double worst = before.sub(after).abs().max().item();
          assertTrue(worst <= before.abs().max().item() / 127, worst + "");
        }
      }
    }
  }

  /** GPT-2's matrices are transposed in its own files, but not in GGUF. */
  @ParameterizedTest
  @ValueSource(strings = {"gguf", "gpt2"})
  void eightBitsAreReadInTheRightOrder(String name) throws IOException {
    try (CausalLm model = model(name)) {
      Gguf.save(model, null, Set.of(), GgufType.Q8_0, file);
      try (CausalLm loaded = (CausalLm) Models.load(file);
          CausalLm folded = Fold.fold(loaded)) {
        assertTrue(loaded.parameterBytes() < folded.parameterBytes());
        model
            .parameters()
            .forEach(
                (key, p) ->
                    assertClose(
                        p.value(),
                        folded.parameters().get(key).value(),
                        p.value().abs().max().item() / 127));
        assertSame(
            folded.parameters().get("blocks.1.ffn.down.weight").value(),
            ((BlockWeight) loaded.modules().get("blocks.1.ffn.down")).dequantized(),
            "folded");
      }
    }
  }

  /** What was rounded to Q8_0 once keeps its bytes. */
  @Test
  void matricesOfEightBitsKeepTheirBytes() throws IOException {
    Path second = folder.resolve("again.gguf");
    try (CausalLm model = model("gguf")) {
      Gguf.save(model, null, Set.of(), GgufType.Q8_0, file);
    }
    try (CausalLm loaded = (CausalLm) Models.load(file)) {
      assertEquals(new BlockLinear.Config(), loaded.config().projection());
      Gguf.save(loaded, null, Set.of(), GgufType.Q8_0, second);
    }
    assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(second));
  }

  @Test
  void theTokenizerAndTheEndsAreWritten() throws IOException {
    Tokenizer tokenizer = Tokenizers.load(GgufLlamaTest.FILE);
    try (CausalLm model = model("gguf")) {
      Gguf.save(model, tokenizer, List.of(2, 0), GgufType.F16, file);
    }
    Tokenizer again = Tokenizers.load(file);
    assertArrayEquals(tokenizer.json(), again.json());
    assertEquals(Set.of(0, 2), StopTokens.of(file, again));
  }

  @Test
  void theTemplateOfConversationsIsWritten() throws IOException {
    ChatTemplate template = ChatTemplate.of(GgufLlamaTest.FILE).orElseThrow();
    Tokenizer tokenizer = Tokenizers.load(GgufLlamaTest.FILE);
    try (CausalLm model = model("gguf")) {
      Gguf.save(model, tokenizer, List.of(2, 0), GgufType.F16, template, file);
    }
    assertEquals(template.source(), ChatTemplate.of(file).orElseThrow().source());
  }

  @Test
  void idsWithoutATokenAreFilled() throws IOException {
    Tokenizer bytes = new ByteTokenizer();
    try (CausalLm model = model("gguf")) { // 300 ids
      Gguf.save(model, bytes, Set.of(), GgufType.F16, file);
    }
    Tokenizer again = Tokenizers.load(file);
    assertEquals(300, again.vocabularySize());
    assertArrayEquals(bytes.encode("a ü 12"), again.encode("a ü 12"));
    assertEquals("a ü 12", again.decode(again.encode("a ü 12")));
  }

  @Test
  void whatGgufCannotHoldIsRefused() throws IOException {
    Path other = folder.resolve("other.gguf");
    CausalLm.Config gelu = new CausalLm.Config().with(c -> c.vocab(40).length(8));
    for (CausalLm.Config config :
        List.of(gelu, gelu.withBlock(b -> b.mixer(new Pooling.Config())))) {
      try (CausalLm model = config.build()) {
        assertThrows(
            ConfigException.class, () -> Gguf.save(model, null, Set.of(), GgufType.F32, other));
      }
    }
    Tokenizer pieces = Tokenizers.load(GgufLlamaTest.FOLDER.resolve("spm.gguf"));
    try (CausalLm model = model("gguf")) {
      assertThrows(
          ConfigException.class, () -> Gguf.save(model, pieces, Set.of(), GgufType.F32, other));
      assertThrows(
          IllegalArgumentException.class,
          () -> Gguf.save(model, null, Set.of(), GgufType.Q4_0, other));
    }
    assertFalse(Files.exists(other));
  }

  @Test
  void sentencePiecesAreRefused() {
    Tokenizer pieces = Tokenizers.load(GgufLlamaTest.FOLDER.resolve("spm.gguf"));
    GgufWriter out = new GgufWriter();
    String message =
        assertThrows(
                DataException.class, () -> GgufTokenizerWriter.write(pieces, 400, Set.of(), out))
            .getMessage();
    assertTrue(message.contains("expected byte-level BPE"), message);
  }
}
