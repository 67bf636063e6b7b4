// SPDX-License-Identifier: Apache-2.0
plugins {
    alias(libs.plugins.kotlin.jvm)
    `maven-publish`
}

val checkout = projectDir.resolve("../../..")

kotlin {
    explicitApi()
    compilerOptions {
        jvmTarget.set(org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11)
    }
}

java {
    sourceCompatibility = JavaVersion.VERSION_11
    targetCompatibility = JavaVersion.VERSION_11
    withSourcesJar()
    withJavadocJar()
}

sourceSets.test {
    java.srcDir("src/test/kotlin") // Java beside Kotlin: what a Java app does
}

publishing {
    publications.create<MavenPublication>("release") { from(components["java"]) }
}

dependencies {
    api(libs.coroutines)
    implementation(libs.serialization.json)
    testImplementation(platform(libs.junit.bom))
    testImplementation(libs.junit.jupiter)
    testRuntimeOnly(libs.junit.launcher)
    // The native TensorFlow Lite that the tests run the shipped models on.
    testImplementation(libs.native.tensorflow)
    testImplementation(libs.javacpp)
    for (library in listOf(libs.native.tensorflow, libs.javacpp)) {
        testRuntimeOnly(variantOf(library) { classifier(nativePlatform()) })
    }
}

tasks.processResources {
    // The mean face is the Python package's own file.
    from(checkout.resolve("relight/face")) {
        include("face_template.json")
        into("portrait/relight")
    }
}

tasks.test {
    useJUnitPlatform()
    maxHeapSize = "1500m"
    systemProperty("repository.root", checkout.canonicalPath)
}

fun nativePlatform(): String {
    val name = System.getProperty("os.name").lowercase()
    val system = when {
        "mac" in name -> "macosx"
        "windows" in name -> "windows"
        else -> "linux"
    }
    val arm = System.getProperty("os.arch") == "aarch64"
    return "$system-" + if (arm) "arm64" else "x86_64"
}
