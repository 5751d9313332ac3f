package dev.jformer.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The names of the files of runs, models and tokenizers: ours, and those of Hugging Face's
 * programs. All other files in a folder are the user's.
 */
final class KnownFiles {
  private static final Pattern WEIGHTS =
      Pattern.compile("(pytorch_)?model(-\\d+-of-\\d+)?\\.(safetensors|bin)(\\.index\\.json)?");

  /** By folder, the empty string for the folder itself, the names of known files and folders. */
  private static final Map<String, Pattern> NAMES =
      Map.of(
          "",
          Pattern.compile(
              "recipe\\.json|report\\.html|(metrics|pretraining)\\.jsonl(\\.tmp)?|config\\.json|(classes|problem|words|pixels)\\.json|series\\.json"
                  + "|bands\\.safetensors|texts\\.sha256|tokenizer(_config)?\\.json"
                  + "|(tokenizer|spiece|sentencepiece\\.bpe)\\.model|vocab\\.(json|txt)|merges\\.txt"
                  + "|(special_tokens_map|added_tokens|generation_config|preprocessor_config)\\.json"
                  + "|(modules|sentence_bert_config|config_sentence_transformers)\\.json|1_Pooling"
                  + "|adapter_((config|base)\\.json|model\\.(safetensors|bin))|training_args\\.bin"
                  + "|model\\.onnx|tf_model\\.h5|flax_model\\.msgpack|"
                  + WEIGHTS),
          RunFolder.DATA,
          Pattern.compile("(tokens|pixels)\\.bin(\\.tmp)?|(tokens|images)\\.json"),
          RunFolder.CHECKPOINTS,
          Pattern.compile("(\\.partial-|\\.replaced-)?step-\\d{8,}|course\\.json|pretraining"));

  private KnownFiles() {}

  /** The known files and folders in a folder, as paths that begin with it. */
  static List<Path> in(Path folder) throws IOException {
    List<Path> found = new ArrayList<>();
    for (Map.Entry<String, Pattern> names : NAMES.entrySet()) {
      Path place = names.getKey().isEmpty() ? folder : folder.resolve(names.getKey());
      if (Files.isDirectory(place)) {
        try (Stream<Path> entries = Files.list(place)) {
          entries.filter(entry -> matches(names.getValue(), entry)).forEach(found::add);
        }
      }
    }
    return found.stream().sorted().toList();
  }

  /** Whether a file holds weights, or says which files do: a model is read by these. */
  static boolean isWeights(Path file) {
    return matches(WEIGHTS, file);
  }

  private static boolean matches(Pattern pattern, Path file) {
    return pattern.matcher(file.getFileName().toString()).matches();
  }
}
