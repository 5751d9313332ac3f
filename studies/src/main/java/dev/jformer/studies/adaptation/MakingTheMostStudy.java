package dev.jformer.studies.adaptation;

import com.google.auto.service.AutoService;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Study;

/**
 * Making the most of a model (<a href="https://arxiv.org/abs/2408.16241">Making the Most of your
 * Model: Methods for Finetuning and Applying Pretrained Transformers</a>): caches that adapt to a
 * text, modes that do not degenerate, recurrence added to a trained decoder, and translators of all
 * words at once that start from a masked language model.
 */
@AutoService(Study.class)
public final class MakingTheMostStudy implements Study {
  @Override
  public void run(ExperimentContext lab) {
    AdaptedStates.run(lab);
    DegenerateModes.run(lab);
    RecurrencePart.run(lab);
    NonAutoregressivePart.run(lab);
  }
}
