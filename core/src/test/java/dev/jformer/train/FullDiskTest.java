package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Scope;
import dev.jformer.testing.SmallDisk;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class FullDiskTest {
  @TempDir Path directory;

  @Test
  @EnabledOnOs(OS.LINUX)
  void aRunWhoseDiskWasFullGoesOnAsIfNothingHadHappened() throws Exception {
    SmallDisk.run(directory, Run.class);
  }

  /** Trains with its checkpoints on a disk that fills up between the first and the second. */
  static final class Run {
    private Run() {}

    public static void main(String[] args) throws IOException {
      Path disk = Path.of(args[0]);
      Path text = Files.writeString(disk.resolve("text.txt"), TrainerTest.TEXT);
      TokenFile tokens =
          TokenFile.prepare(
              disk.resolve("data"),
              Corpus.open(text, List.of()),
              new ByteTokenizer(),
              0.1,
              bytes -> {});
      Path filler = disk.resolve("filler");
      Path checkpoints = disk.resolve("checkpoints");
      TrainerTest.Log uninterrupted = new TrainerTest.Log();
      train(tokens, null, false, uninterrupted, null);

      TrainerTest.Log log = new TrainerTest.Log();
      TrainingException e =
          assertThrows(
              TrainingException.class, () -> train(tokens, checkpoints, false, log, filler));
      assertTrue(e.getMessage().contains("step-00000008: "), e.getMessage());
      assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
      assertTrue(e.getMessage().contains("free space on the disk"), e.getMessage());
      assertArrayEquals(new String[] {"step-00000004"}, checkpoints.toFile().list());

      Files.delete(filler);
      TrainerTest.Log resumed = new TrainerTest.Log();
      train(tokens, checkpoints, true, resumed, null);
      List<String> lines = uninterrupted.lines;
      int after4 = lines.indexOf(log.lines.get(3)) + 1;
      assertEquals(4, after4);
      assertEquals(lines.subList(after4, lines.size()), resumed.lines);
    }

    private static void train(
        TokenFile tokens, Path checkpoints, boolean resume, TrainerTest.Log log, Path filler) {
      TrainingConfig training = TrainerTest.training("'steps':12");
      try (Scope scope = Scope.open();
          CausalLm model = TrainerTest.model();
          Trainer trainer =
              new Trainer(
                  model,
                  new LanguageModelling(model, tokens, training.batch(), training.seed(), 100),
                  training,
                  checkpoints)) {
        trainer.addListener(log);
        if (filler != null) {
          trainer.addListener(
              new Listener() {
                @Override
                public void step(Step step) {
                  if (step.step() == 5) {
                    fill(filler);
                  }
                }
              });
        }
        if (resume) {
          trainer.resume();
        }
        trainer.run();
      }
    }

    private static void fill(Path filler) {
      try (OutputStream out = Files.newOutputStream(filler)) {
        for (int i = 0; i < 1 << 10; i++) {
          out.write(new byte[1 << 10]);
        }
        throw new AssertionError("the disk is larger than a megabyte");
      } catch (IOException full) {
        if (!full.getMessage().contains("No space left")) {
          throw new UncheckedIOException(full);
        }
      }
    }
  }
}
