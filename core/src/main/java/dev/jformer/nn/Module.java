package dev.jformer.nn;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * A module, a node in the tree of a model: it owns named parameters and child modules.
 *
 * <p>A subclass declares them in its constructor, in the order in which they are listed:
 *
 * <pre>{@code
 * final class Feedforward extends Layer {
 *   private final Slot<Layer> up = child("up", Layer.class, new Linear(…));
 *   private final Parameter scale = parameter("scale", Tensor.ones(width));
 * }
 * }</pre>
 *
 * Modules are not safe for use by several threads at once.
 */
public abstract class Module implements AutoCloseable {
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<String, Slot<?>> children = new LinkedHashMap<>();
  private final Set<String> unnamed = new HashSet<>();
  private boolean training = true;

  /** Declares a weight with its initial value. */
  protected final Parameter parameter(String name, dev.jformer.tensor.Tensor initial) {
    return register(name, Parameter.trained(initial));
  }

  /** Declares a tensor that is saved but not trained. */
  protected final Parameter buffer(String name, dev.jformer.tensor.Tensor initial) {
    return register(name, Parameter.buffer(initial));
  }

  /** Declares an existing parameter, to share it with another module. */
  protected final Parameter register(String name, Parameter parameter) {
    claim(name);
    parameters.put(name, parameter);
    return parameter;
  }

  /**
   * Declares a child.
   *
   * @param kind the type that a replacement must have
   */
  protected final <M extends Module> Slot<M> child(String name, Class<? super M> kind, M module) {
    claim(name);
    Slot<M> slot = new Slot<>(kind, module);
    children.put(name, slot);
    return slot;
  }

  /**
   * Declares a child whose members are listed as this module's own, without a name prefix. It
   * cannot be replaced as a whole.
   */
  protected final <M extends Module> Slot<M> unnamedChild(Class<? super M> kind, M module) {
    Module members = module;
    members.parameters.keySet().forEach(this::claim);
    members.children.keySet().forEach(this::claim);
    String key = "(" + children.size() + ")";
    unnamed.add(key);
    return child(key, kind, module);
  }

  /** The prefix of the names of a child's members. */
  private String prefix(String child) {
    return unnamed.contains(child) ? "" : child + ".";
  }

  /** Declares a list of children, named by their indices under {@code name}. */
  protected final <M extends Module> List<Slot<M>> children(
      String name, Class<? super M> kind, List<? extends M> modules) {
    List<Slot<M>> slots = new ArrayList<>();
    for (int i = 0; i < modules.size(); i++) {
      slots.add(child(name + "." + i, kind, modules.get(i)));
    }
    return Collections.unmodifiableList(slots);
  }

  private void claim(String name) {
    if (parameters.containsKey(name) || children.containsKey(name)) {
      throw new IllegalStateException(
          getClass().getSimpleName() + " already has a member named " + name);
    }
  }

  /**
   * All parameters and buffers by dotted name, in order of declaration; shared ones only under
   * their first name.
   */
  public final Map<String, Parameter> parameters() {
    Map<String, Parameter> all = new LinkedHashMap<>();
    Set<Parameter> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    collect(
        "",
        (name, parameter) -> {
          if (seen.add(parameter)) {
            all.put(name, parameter);
          }
        });
    return all;
  }

  private void collect(String prefix, BiConsumer<String, Parameter> action) {
    parameters.forEach((name, parameter) -> action.accept(prefix + name, parameter));
    children.forEach((name, slot) -> ((Module) slot.get()).collect(prefix + prefix(name), action));
  }

  /** The weights that are trained now, frozen ones excluded, in order. */
  public final Collection<Parameter> trained() {
    return parameters().values().stream().filter(p -> p.value().requiresGrad()).toList();
  }

  /** Number of weights, without buffers. */
  public final long parameterCount() {
    return parameters().values().stream()
        .filter(Parameter::isTrainable)
        .mapToLong(p -> p.value().elements())
        .sum();
  }

  /** Bytes of all parameters and buffers, without {@link #derivedBytes}. */
  public final long parameterBytes() {
    return parameters().values().stream()
        .mapToLong(p -> p.value().elements() * p.value().dtype().bytes())
        .sum();
  }

  /** This module (with an empty name) and all below it by dotted name, parents first. */
  public final Map<String, Module> modules() {
    Map<String, Module> all = new LinkedHashMap<>();
    collectModules("", all);
    return all;
  }

  private void collectModules(String name, Map<String, Module> all) {
    all.putIfAbsent(name, this); // a child without a name does not take its parent's place
    String prefix = name.isEmpty() ? "" : name + ".";
    children.forEach(
        (child, slot) ->
            ((Module) slot.get())
                .collectModules(unnamed.contains(child) ? name : prefix + child, all));
  }

  /**
   * Replaces a module of this tree.
   *
   * @param name its dotted name, as in {@link #modules}
   * @return the module that was replaced
   * @throws IllegalArgumentException if there is none, or the replacement has the wrong type
   */
  public final Module replace(String name, Module replacement) {
    Slot<?> slot = find(name);
    if (slot == null) {
      throw new IllegalArgumentException(
          getClass().getSimpleName() + " has no module '" + name + "'");
    }
    Module old = slot.get();
    slot.set(replacement);
    replacement.train(old.training);
    return old;
  }

  private Slot<?> find(String name) {
    Slot<?> found = null;
    for (Map.Entry<String, Slot<?>> child : children.entrySet()) {
      String prefix = prefix(child.getKey());
      if (name.equals(child.getKey())) {
        found = child.getValue();
      } else if (found == null && name.startsWith(prefix)) {
        found = ((Module) child.getValue().get()).find(name.substring(prefix.length()));
      }
    }
    return found;
  }

  /**
   * Switches this tree between training and inference mode, which differ in dropout, for example.
   */
  public final void train(boolean on) {
    training = on;
    children.values().forEach(slot -> slot.get().train(on));
  }

  /** Whether this module is in training mode. */
  public final boolean isTraining() {
    return training;
  }

  /** Drops the gradients of all weights. */
  public final void clearGrads() {
    parameters().values().forEach(parameter -> parameter.value().clearGrad());
  }

  /** Releases the memory of all parameters, and of what modules derived from them. */
  @Override
  public void close() {
    parameters().values().forEach(parameter -> parameter.value().close());
    modules().values().forEach(Module::forget);
  }

  /** Bytes of memory that this module, without its children, holds beside its parameters. */
  public long derivedBytes() {
    return 0;
  }

  /**
   * Checks parameters of this tree that were read from a file, as far as shapes and types do not
   * say it: that a sparse layer has as many values as positions, for example.
   *
   * @throws IllegalStateException if they are damaged; the message names the module
   */
  public final void checkParameters() {
    modules()
        .forEach(
            (name, module) -> {
              try {
                module.checkOwnParameters();
              } catch (IllegalStateException e) {
                throw new IllegalStateException(
                    (name.isEmpty() ? "the model" : name) + ": " + e.getMessage(), e);
              }
            });
  }

  /**
   * Checks the parameters of this module, without its children; see {@link #checkParameters}.
   *
   * @throws IllegalStateException if they are damaged
   */
  protected void checkOwnParameters() {}

  /** Releases what this module derived from its parameters to be faster. */
  protected void forget() {}
}
