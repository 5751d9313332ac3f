package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.data.tokenizer.GgufTokenizerWriter;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufType;
import dev.jformer.io.gguf.GgufWriter;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Models in GGUF files, the format of llama.cpp. */
public final class Gguf {
  static final String ARCHITECTURE = "general.architecture";

  private static final List<GgufArchitecture> ARCHITECTURES =
      List.of(
          new GgufLlama(),
          new GgufGpt2(),
          new GgufQwen("qwen2"),
          new GgufQwen("qwen3"),
          new GgufGemma("gemma2"),
          new GgufGemma("gemma3"),
          new GgufPhi3(),
          new GgufNeox());

  private Gguf() {}

  /**
   * The architecture with this name.
   *
   * @throws ConfigException if it is not supported
   */
  static GgufArchitecture architecture(String name) {
    return ARCHITECTURES.stream()
        .filter(architecture -> architecture.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new ConfigException(
                    "general.architecture is "
                        + FormatException.quote(name)
                        + ", which is not supported: only "
                        + ARCHITECTURES.stream()
                            .map(GgufArchitecture::name)
                            .collect(Collectors.joining(", "))
                        + " are"));
  }

  /** Loads a model; see {@link Models#load}. */
  static Model load(Path path) throws IOException {
    try (Scope scope = Scope.open();
        GgufFile file = GgufFile.open(path)) {
      GgufArchitecture architecture = architecture(file.metadata().text(ARCHITECTURE));
      ObjectNode config = architecture.config(file);
      return HuggingFace.load(path, config, new GgufWeights(file, architecture, config));
    } catch (ConfigException | IllegalArgumentException e) {
      throw new ConfigException(path + ": " + e.getMessage(), e);
    } catch (FormatException e) {
      String message = String.valueOf(e.getMessage());
      throw message.startsWith(path.toString()) ? e : new FormatException(path + ": " + message, e);
    }
  }

  /**
   * Saves a model without a template of conversations; see {@link #save(CausalLm, Tokenizer,
   * Collection, GgufType, ChatTemplate, Path)}.
   */
  public static void save(
      CausalLm model, Tokenizer tokenizer, Collection<Integer> ends, GgufType type, Path path)
      throws IOException {
    save(model, tokenizer, ends, type, null, path);
  }

  /**
   * Saves a model in GGUF, so that programs built on llama.cpp load it, in the architecture of the
   * family that {@link HuggingFace#save} would choose. Vectors are written as F32. So that all
   * values can be stored, matrices whose rows are no whole blocks of a type are written as F16.
   *
   * @param tokenizer byte-level BPE, written into the file; null if the model has no text
   * @param ends the tokens that end a text
   * @param type the type of matrices: F32, F16 or Q8_0
   * @param chat the template of conversations; null for none
   * @throws ConfigException if there is no architecture for the model, or the tokenizer has more
   *     ids than the model
   * @throws dev.jformer.data.DataException if GGUF has no form for the tokenizer
   * @throws IOException if it cannot be written
   */
  public static void save(
      CausalLm model,
      Tokenizer tokenizer,
      Collection<Integer> ends,
      GgufType type,
      ChatTemplate chat,
      Path path)
      throws IOException {
    HuggingFace.Written written = HuggingFace.written(model, tokenizer);
    GgufArchitecture architecture = holding(written.config().path("model_type").asText());
    GgufWriter out = new GgufWriter();
    out.text(ARCHITECTURE, architecture.name());
    architecture.write(written.config(), out);
    if (tokenizer != null) {
      GgufTokenizerWriter.write(tokenizer, model.config().vocab(), ends, out);
    }
    if (chat != null) {
      out.text(ChatFiles.GGUF_TEMPLATE, chat.source());
    }
    try (Scope scope = Scope.open()) {
      for (Map.Entry<String, Tensor> entry : written.tensors().entrySet()) {
        String name = architecture.names().gguf(entry.getKey());
        Tensor values =
            architecture.order(written.config(), name).toStored(entry.getValue()).contiguous();
        out.tensor(name, typeOf(values, type), values);
      }
      out.write(path);
    }
  }

  private static GgufArchitecture holding(String modelType) {
    return ARCHITECTURES.stream()
        .filter(architecture -> architecture.holds(modelType))
        .findFirst()
        .orElseThrow(
            () ->
                new ConfigException(
                    "this model cannot be saved in GGUF, which has no architecture for '"
                        + modelType
                        + "': save it as a folder"));
  }

  private static GgufType typeOf(Tensor values, GgufType wanted) {
    if (values.rank() < 2) {
      return GgufType.F32;
    }
    return GgufWriter.fits(values, wanted) ? wanted : GgufType.F16;
  }
}
