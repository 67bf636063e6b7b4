// SPDX-License-Identifier: Apache-2.0
plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "portrait.relight.sample"
    compileSdk = 36

    defaultConfig {
        applicationId = "portrait.relight.sample"
        minSdk = 29
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    testOptions {
        unitTests.all {
            it.useJUnitPlatform()
            it.systemProperty("module.root", projectDir.path)
        }
    }
}

dependencies {
    implementation(project(":relight-android"))
    implementation(libs.coroutines.android)
    testImplementation(platform(libs.junit.bom))
    testImplementation(libs.junit.jupiter)
    testRuntimeOnly(libs.junit.launcher)
}
