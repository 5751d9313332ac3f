package dev.jformer.run;

import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Objective;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Loads the teacher of a recipe's objective, checked against the data, and releases it. */
final class TeacherModel implements Objective.ModelLoader, AutoCloseable {
  private final Path folder;
  private final PreparedData data;
  private final List<Model> copies = new ArrayList<>();
  private Model model;

  TeacherModel(Recipe recipe, PreparedData data) {
    this.folder = recipe.objective().teacherFolder().orElse(null);
    this.data = data;
  }

  @Override
  public Objective.Teacher teacher() {
    if (model == null) {
      Tensor random = Random.state(); // building a model draws, but the student's draws stay theirs
      try {
        model = Models.load(folder);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read the teacher in " + folder, e);
      }
      Random.restore(random);
      model.train(false);
    }
    if (!data.job().model().isInstance(model.config())) {
      throw new RunException(
          "the teacher in "
              + folder
              + " is "
              + model.config().noun()
              + ", which cannot teach "
              + data.job().type());
    }
    return new Objective.Teacher(model, data.checkTeacher(folder, model));
  }

  @Override
  public Model copy(Model other) {
    Tensor random = Random.state();
    Model made = other.config().build();
    Random.restore(random);
    made.copyFrom(other);
    made.train(false);
    copies.add(made);
    return made;
  }

  @Override
  public void close() {
    copies.forEach(Model::close);
    if (model != null) {
      model.close();
    }
  }
}
