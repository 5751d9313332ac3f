/**
 * Javadoc at run time: {@link dev.jformer.javadoc.Descriptions} gives the description of a type, as
 * the command line and the technique pages show it.
 *
 * <p>The annotation processor of the module {@code jformer-javadoc-index} writes the Javadoc of
 * each top-level type, public nested type and service into a resource of its own while a module is
 * compiled. Types compiled without it have empty descriptions.
 */
package dev.jformer.javadoc;
