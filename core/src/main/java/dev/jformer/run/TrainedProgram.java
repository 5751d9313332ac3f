package dev.jformer.run;

import dev.jformer.data.label.LabelledSequence;
import dev.jformer.data.label.LabelledSequences;
import dev.jformer.model.program.Discretisation;
import dev.jformer.model.program.TransformerProgram;
import dev.jformer.program.DiscreteProgram;
import dev.jformer.program.LabelKind;
import dev.jformer.program.Shortening;
import dev.jformer.train.SequenceLabelling;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToIntFunction;

/** A trained model that can be written as a program. */
abstract class TrainedProgram extends TrainedModel {
  /** Sequences by which a program is tabulated and shortened. */
  private static final int TYPICAL = 4000;

  /** What F1 is counted in where programs are compared by it. */
  private static final double PARTS = 1e6;

  private final TransformerProgram model;

  TrainedProgram(Job job, Path folder, TransformerProgram model) {
    super(job, folder, model, null);
    this.model = model;
  }

  /** The model. */
  final TransformerProgram program() {
    return model;
  }

  /** The sequences that it learned from. */
  abstract LabelledSequences sequences();

  /** Writes a model as a program; see {@link ProgramJob#program}. */
  static DiscreteProgram write(
      TransformerProgram model, LabelledSequences sequences, String name, boolean shortened) {
    List<LabelledSequence> typical = sequences.typical(TYPICAL);
    List<int[]> inputs = typical.stream().map(LabelledSequence::tokens).toList();
    DiscreteProgram program = new Discretisation(model, sequences.scheme(), inputs).of(name);
    ToIntFunction<DiscreteProgram> right = some -> score(some, typical);
    return shortened ? new Shortening(inputs, right).of(program) : program;
  }

  /**
   * What programs are compared by: the number of right labels, or F1 of entities, because most
   * words are of none.
   */
  private static int score(DiscreteProgram program, List<LabelledSequence> sequences) {
    if (program.scheme().kind() != LabelKind.WORDS) {
      return right(program, sequences);
    }
    List<int[]> given = sequences.stream().map(some -> program.run(some.tokens())).toList();
    return (int)
        Math.round(
            PARTS * SequenceLabelling.entities(program.scheme(), sequences, given).all().f1());
  }

  /** How many labels of sequences a program gives right. */
  static int right(DiscreteProgram program, List<LabelledSequence> sequences) {
    int right = 0;
    for (LabelledSequence sequence : sequences) {
      int[] given = program.run(sequence.tokens());
      for (int i = 0; i < given.length; i++) {
        right += given[i] == sequence.labels()[i] ? 1 : 0;
      }
    }
    return right;
  }
}
