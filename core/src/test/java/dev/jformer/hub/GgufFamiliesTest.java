package dev.jformer.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.ConfigException;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.io.gguf.GgufType;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * GGUF files of several architectures, written by Python's gguf from models of transformers; see
 * tools/fixtures/make_gguf_families.py.
 */
@ExtendWith(Scoped.class)
class GgufFamiliesTest {
  private static final Path MODELS = Path.of("src/test/resources/dev/jformer/hub/gguf-families");

  @TempDir Path folder;

  private static CausalLm load(Path file) throws IOException {
    return (CausalLm) Models.load(file);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama3", "yarn", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gptneox"
      })
  void logitsAreTransformersAndStaySoWhenSaved(String name) throws IOException {
    try (Mode mode = Autograd.noGrad();
        CausalLm model = load(MODELS.resolve(name + ".gguf"));
        SafetensorsFile expected = SafetensorsFile.open(MODELS.resolve("expected.safetensors"))) {
      Tensor ids = expected.tensor("input_ids");
      Tensor logits = expected.tensor(name);
      assertNear(logits, model.logits(ids), name);

      Path saved = folder.resolve("saved.gguf");
      Gguf.save(model, null, Set.of(), GgufType.F32, saved);
      try (CausalLm again = load(saved)) {
        assertNear(logits, again.logits(ids), name + ", saved in GGUF");
      }
      HuggingFace.save(model, null, folder.resolve("hf"));
      try (CausalLm again = load(folder.resolve("hf"))) {
        assertNear(logits, again.logits(ids), name + ", saved as a folder");
      }
    }
  }

  private static void assertNear(Tensor expected, Tensor found, String what) {
    double worst = found.sub(expected).abs().max().item();
    assertTrue(worst < 1e-4, what + ": logits differ by " + worst);
  }

  @Test
  void foldersBecomeFilesWhereGgufHasAForm() throws IOException {
    Path families = MODELS.resolveSibling("families");
    for (String name : new String[] {"llama3", "llama-linear", "llama-yarn", "qwen2-full"}) {
      try (Mode mode = Autograd.noGrad();
          CausalLm model = load(families.resolve(name));
          SafetensorsFile expected =
              SafetensorsFile.open(families.resolve(name).resolve("expected.safetensors"))) {
        Path file = folder.resolve(name + ".gguf");
        Gguf.save(model, null, Set.of(), GgufType.F32, file);
        try (CausalLm again = load(file)) {
          assertNear(expected.tensor("logits"), again.logits(expected.tensor("input_ids")), name);
        }
      }
    }
    refused("llama-dynamic", "does not scale rotary positions by 'dynamic'");
    refused("qwen2", "whose qwen2 has no sliding window");
    refused("gemma2", "which fixes query_pre_attn_scalar of gemma2: it is 5");
    refused("gemma3", "which fixes layer_types of gemma3");
    refused("opt", "which has no architecture for 'opt'");
  }

  private void refused(String name, String message) throws IOException {
    Path file = folder.resolve("refused.gguf");
    try (CausalLm model = load(MODELS.resolveSibling("families").resolve(name))) {
      String found =
          assertThrows(
                  ConfigException.class, () -> Gguf.save(model, null, Set.of(), GgufType.F32, file))
              .getMessage();
      assertTrue(found.contains(message), found);
      assertFalse(Files.exists(file));
    }
    assertEquals(0, folder.toFile().listFiles(f -> f.getName().startsWith("refused")).length);
  }
}
