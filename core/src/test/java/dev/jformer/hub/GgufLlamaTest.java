package dev.jformer.hub;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.Fold;
import dev.jformer.config.ConfigException;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.io.FormatException;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufType;
import dev.jformer.io.gguf.GgufWriter;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Linear;
import dev.jformer.nn.quantized.BlockLinear;
import dev.jformer.nn.quantized.BlockWeight;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A tiny Llama in GGUF, with what Python makes of it: tools/fixtures/make_gguf_models.py. */
@ExtendWith(Scoped.class)
class GgufLlamaTest {
  static final Path FOLDER = Path.of("src/test/resources/dev/jformer/hub/gguf");
  static final Path FILE = FOLDER.resolve("llama.gguf");

  @TempDir Path folder;

  @Test
  void logitsAndGreedyTokensAreTransformers() throws IOException {
    try (Mode mode = Autograd.noGrad();
        CausalLm model = (CausalLm) Models.load(FILE);
        SafetensorsFile expected = SafetensorsFile.open(FOLDER.resolve("expected.safetensors"))) {
      Tensor ids = expected.tensor("input_ids");
      assertClose(expected.tensor("logits").toDoubles(), model.logits(ids), 1e-4);
      int[] generated = expected.tensor("generated").toInts();
      int[] prompt = Arrays.copyOf(generated, 5);
      for (boolean cached : new boolean[] {true, false}) {
        Generator.Request request =
            new Generator.Request(16, Sampling.GREEDY, Set.of(), List.of(), cached);
        List<Integer> ours =
            new Generator(model)
                .generate(List.of(prompt), request, unused -> "", null)
                .get(0)
                .ids();
        assertEquals(
            Arrays.stream(generated, prompt.length, generated.length).boxed().toList(), ours);
      }
    }
  }

  /** The file has seven types; what three matrices are joined to has blocks of different ones. */
  @Test
  void matricesStayInFewBits() throws IOException {
    try (Mode mode = Autograd.noGrad();
        CausalLm model = (CausalLm) Models.load(FILE);
        CausalLm plain = Fold.fold(model);
        GgufFile file = GgufFile.open(FILE)) {
      assertEquals(new BlockLinear.Config(), model.config().projection());
      assertEquals(new Linear.Config(), plain.config().projection());
      Tensor down = ((BlockWeight) model.modules().get("blocks.1.ffn.down")).dequantized();
      Tensor stored = file.tensor("blk.1.ffn_down.weight").to(DType.FLOAT32);
      assertSame(stored, down, "nothing is rounded");
      long floats = plain.parameterBytes();
      assertEquals(GgufSummary.read(FILE).bytesInMemory(), model.parameterBytes());
      // Matrices this small are padded to panels of 64 rows.
      assertTrue(model.parameterBytes() < floats / 1.8, model.parameterBytes() + " of " + floats);
      for (int length : new int[] {1, 5, 40}) {
        Tensor ids = Tensor.randint(0, 300, 2, length);
        assertClose(plain.logits(ids).toDoubles(), model.logits(ids), 5e-5);
      }
    }
  }

  @Test
  void aModelInFewBitsIsSavedAsOurs() throws IOException {
    try (Mode mode = Autograd.noGrad();
        CausalLm model = (CausalLm) Models.load(FILE)) {
      Models.save(model, folder);
      try (CausalLm again = (CausalLm) Models.load(folder)) {
        assertEquals(model.config(), again.config());
        assertEquals(model.parameterBytes(), again.parameterBytes());
        Tensor ids = Tensor.of(new long[] {1, 17, 250, 3}, 1, 4);
        assertSame(model.logits(ids), again.logits(ids), "logits");
      }
    }
  }

  @Test
  void textsStopAtTheEndOfATurnToo() throws IOException {
    Tokenizer tokenizer = Tokenizers.load(FILE);
    assertEquals(Set.of(0, 2), StopTokens.of(FILE, tokenizer));
    SideFiles.copy(FILE, folder);
    assertEquals(Set.of(0, 2), StopTokens.of(folder, tokenizer));
  }

  @Test
  void isSavedForTransformersAndAsOurs() throws IOException {
    try (CausalLm loaded = (CausalLm) Models.load(FILE);
        CausalLm model = Fold.fold(loaded)) {
      HuggingFace.save(loaded, Tokenizers.load(FILE), folder);
      try (CausalLm again = (CausalLm) Models.load(folder)) {
        assertEquals(model.config(), again.config());
        model
            .parameters()
            .forEach(
                (name, p) -> assertSame(p.value(), again.parameters().get(name).value(), name));
      }
    }
  }

  // ---- Refusals

  /** A file with the metadata of a Llama, and tensors that a test adds. */
  private static GgufWriter llama() {
    return new GgufWriter()
        .text("general.architecture", "llama")
        .integer("llama.block_count", 1)
        .integer("llama.context_length", 8)
        .integer("llama.embedding_length", 32)
        .integer("llama.feed_forward_length", 32)
        .integer("llama.attention.head_count", 2);
  }

  private void refused(GgufWriter writer, Class<? extends Exception> kind, String part)
      throws IOException {
    Path file = folder.resolve("bad.gguf");
    writer.write(file);
    String message = assertThrows(kind, () -> Models.load(file)).getMessage();
    assertTrue(message.contains(part), message);
    assertTrue(message.startsWith(file.toString()), message);
    assertEquals(message.indexOf("bad.gguf"), message.lastIndexOf("bad.gguf"), message);
    assertFalse(message.contains("\n"), message);
  }

  @Test
  void whatIsNotSupportedIsNamed() throws IOException {
    Tensor embedding = Tensor.zeros(4, 32);
    refused(
        new GgufWriter().text("general.architecture", "mamba"),
        ConfigException.class,
        "general.architecture is 'mamba', which is not supported: only llama, gpt2, qwen2, ");
    refused(new GgufWriter(), FormatException.class, "general.architecture is missing");
    refused(llama(), FormatException.class, "the tensor token_embd.weight is missing");
    refused(
        llama().tensor("token_embd.weight", GgufType.F32, embedding),
        FormatException.class,
        "the tensor blk.0.attn_norm.weight is missing");
    refused(
        llama()
            .tensor("token_embd.weight", GgufType.F32, embedding)
            .integer("llama.expert_count", 8),
        ConfigException.class,
        "llama.expert_count is 8");
    refused(
        llama()
            .tensor("token_embd.weight", GgufType.F32, embedding)
            .text("llama.rope.scaling.type", "longrope"),
        ConfigException.class,
        "scaling.type is longrope, which is not supported: only none, linear, yarn are");
    refused(
        llama()
            .tensor("token_embd.weight", GgufType.F32, embedding)
            .integer("llama.rope.dimension_count", 8),
        ConfigException.class,
        "partial_rotary_factor is 0.5, which is not supported: only 1.0 is");
    refused(
        llama()
            .tensor("token_embd.weight", GgufType.F32, embedding)
            .integer("llama.rope.dimension_count", 18),
        ConfigException.class,
        "llama.rope.dimension_count is 18: expected at most 16");
    refused(
        llama()
            .tensor("token_embd.weight", GgufType.F32, embedding)
            .tensor("rope_freqs.weight", GgufType.F32, Tensor.ones(3)),
        ConfigException.class,
        "shortFactors is 3 numbers: expected 8");
  }

  @Test
  void aTruncatedFileIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(FILE);
    for (int length : new int[] {0, 3, 20, 100, 5000, whole.length / 2, whole.length - 40}) {
      Path file = Files.write(folder.resolve("cut.gguf"), Arrays.copyOf(whole, length));
      String message =
          assertThrows(FormatException.class, () -> Models.load(file), "" + length).getMessage();
      assertTrue(message.contains("cut.gguf"), message);
    }
  }

  @Test
  void aMissingFileIsNamed() {
    Path none = folder.resolve("none.gguf");
    String message = assertThrows(IOException.class, () -> Models.load(none)).getMessage();
    assertTrue(message.contains("none.gguf"), message);
  }
}
