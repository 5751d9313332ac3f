package dev.jformer.app.command;

import dev.jformer.decode.BeamSearch;
import dev.jformer.hub.Models;
import dev.jformer.hub.SentenceEncoder;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer eval}. */
@Command(
    name = "eval",
    header = "Measure the quality of a model on data",
    description =
        """
        Measures what suits the model: the loss and perplexity of a language model or a masked
        language model; the accuracy of a classifier of images or texts; the BLEU score of a
        translator, as sacrebleu computes it; or, with '--task sts', how well the embeddings of an
        encoder agree with people on the similarity of texts.
        """,
    footer =
        """
        Examples:
          jformer eval runs/play
              Uses the text that was held out in training.
          jformer eval runs/play --data other.txt
          jformer eval runs/images --data test.zip
          jformer eval runs/classify --data dev.tsv
          jformer eval minilm --task sts --data sts14-images.tsv sts14-OnWN.tsv
              Each line is a score, a tab, a text, a tab and another text.
          jformer eval runs/translate --task translate \\
              --source test.en --target test.de --beam 5
        """)
final class EvalCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "The folder of a model, or minilm, or an .onnx file.")
  private Path model;

  @Parameters(index = "1..*", paramLabel = "PATH", description = "More data, for --task sts.")
  private List<Path> more = List.of();

  @Option(
      names = "--task",
      paramLabel = "TASK",
      description =
          "sts (semantic textual similarity) or translate (default: what the model was trained for).")
  private String task;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "Text (default: what was held out in training); images or labelled texts for a"
              + " classifier.")
  private List<Path> data = List.of();

  @Option(
      names = "--ending",
      paramLabel = ".EXT",
      description = "Only files whose names end with this; may be repeated.")
  private List<String> endings = List.of();

  @Mixin private PairOptions pairs;

  @Option(
      names = "--beam",
      paramLabel = "K",
      description = "The width of the beam search for translations (default ${DEFAULT-VALUE}).")
  private int beam = 5;

  @Mixin private BatchOption batch = new BatchOption(16);

  @Mixin private JsonOption json;

  @Mixin private QuietOption progress;

  @Override
  public Integer call() throws Exception {
    Console console = new Console(progress.isSet(), json.isSet());
    List<Path> all = new ArrayList<>(data);
    all.addAll(more);
    Path folder = Pretrained.find(model);
    if (pairs.source() != null || "translate".equals(task)) {
      return translation(folder, all, console);
    }
    if (task != null) {
      return likeness(folder, all, console);
    }
    if (all.size() > 1) {
      throw new CommandException(
          "--data names " + all.size() + " paths, which only --task sts takes");
    }
    Path only = all.isEmpty() ? null : all.get(0);
    try (Scope scope = Scope.open();
        Model loaded = Models.load(folder)) {
      loaded.train(false);
      System.out.println(
          new Evaluation(folder, only, endings, batch.size(), json.isSet(), console).of(loaded));
      return 0;
    }
  }

  private int translation(Path folder, List<Path> data, Console console) throws IOException {
    if (pairs.source() == null || pairs.target() == null || !data.isEmpty()) {
      throw new CommandException(
          "give the texts to translate with --source, their translations with --target");
    }
    try (Scope scope = Scope.open();
        EncoderDecoder loaded = TranslateCommand.load(folder)) {
      BeamSearch.Settings settings = new BeamSearch.Settings(beam);
      System.out.println(
          new TranslationScore(
                  folder,
                  pairs.source(),
                  pairs.target(),
                  settings,
                  batch.size(),
                  json.isSet(),
                  console)
              .of(loaded));
      return 0;
    }
  }

  private int likeness(Path folder, List<Path> files, Console console) throws IOException {
    if (!task.equals("sts")) {
      throw new CommandException("no task '" + task + "': there are sts and translate");
    }
    if (files.isEmpty()) {
      throw new CommandException("give the pairs of texts with --data");
    }
    try (Scope scope = Scope.open();
        SentenceEncoder encoder = SentenceEncoder.load(folder, batch.size())) {
      System.out.println(new StsEvaluation(files, json.isSet(), console).of(encoder));
      return 0;
    }
  }
}
